import type { XdsRejection, XdsResource } from "./xds-resource.ts";

/** `http.<stat_prefix>.rds.<route configuration>.…` */
export class RouteUpdateStats {
  update_attempt = 0;
  update_success = 0;
  update_rejected = 0;
  init_fetch_timeout = 0;
}

/** How often each route configuration came, was refused, or did not come in time. */
export class RouteUpdates {
  readonly #byName = new Map<string, RouteUpdateStats>();

  of(name: string): RouteUpdateStats {
    let stats = this.#byName.get(name);
    if (stats === undefined) {
      stats = new RouteUpdateStats();
      this.#byName.set(name, stats);
    }
    return stats;
  }

  noteApplied(resources: readonly XdsResource[], rejections: readonly XdsRejection[]): void {
    const refused = new Set(rejections.map(({ name }) => name));
    for (const { name } of resources) {
      const stats = this.of(name);
      stats.update_attempt++;
      if (refused.has(name)) stats.update_rejected++;
      else stats.update_success++;
    }
  }

  noteMissing(names: readonly string[]): void {
    for (const name of names) this.of(name).init_fetch_timeout++;
  }

  /** @param wanted the names that a listener still refers to */
  keepOnly(wanted: readonly string[]): void {
    for (const name of this.#byName.keys()) if (!wanted.includes(name)) this.#byName.delete(name);
  }
}
