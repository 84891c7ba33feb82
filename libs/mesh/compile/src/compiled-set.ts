import type { CompiledResource } from "@fairlead/snapshot";
import { outboundClusterName } from "./names.ts";
import type { ServicePlan } from "./service-plan.ts";

/** Resources under construction, with those of before to fall back on. */
export class CompiledSet {
  readonly byKey = new Map<string, CompiledResource>();
  readonly #before: ReadonlyMap<string, CompiledResource>;

  constructor(before: ReadonlyMap<string, CompiledResource>) {
    this.#before = before;
  }

  /** @returns their keys */
  addAll(resources: readonly CompiledResource[]): Set<string> {
    for (const resource of resources) this.byKey.set(resource.key, resource);
    return new Set(resources.map(({ key }) => key));
  }

  /** Takes over what there was under these keys. @returns those that there was something under */
  keep(keys: Iterable<string>): Set<string> {
    const found = [...keys].flatMap((key) => this.#before.get(key) ?? []);
    return this.addAll(found);
  }

  /** Takes over a service's clusters and endpoints. @returns false when one of them was not there: routes could not lead to it */
  keepService({ service, subsets }: ServicePlan): boolean {
    const names = ["", ...subsets.map(({ name }) => name)].map((subset) => outboundClusterName(service, subset));
    const keys = names.flatMap((name) => [`cds/${name}`, `eds/${name}`]);
    const complete = keys.every((key) => this.#before.has(key));
    if (complete) this.keep([...keys, `lds/api/${service.interface}`, `rds/api/${service.interface}`]);
    return complete;
  }
}
