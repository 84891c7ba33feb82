import { typeUrls } from "@fairlead/envoy-api";
import type { XdsResource } from "../xds-resource.ts";

/** In which order a worker gets all of it. */
const applyOrder = [typeUrls.cluster, typeUrls.endpoint, typeUrls.secret, typeUrls.listener, typeUrls.route];

/** What of these is made anew has counters, limits and ports of its own that threads share. */
const sharing: ReadonlySet<string> = new Set([typeUrls.cluster, typeUrls.listener, typeUrls.route]);

interface MissedOfType {
  /** What the worker has. */
  readonly last: ReadonlyMap<string, XdsResource>;
  /** Those of `last` that were something else, or not there, in what it has missed. */
  readonly changed: Set<string>;
  readonly removed: Set<string>;
}

/**
 * What workers have, by type: all that was accepted; and what those that are late have missed of it. To give them the newest is
 * enough, but for a resource that became something else and then what it was before: the others share the memory of the new one, and
 * this worker would not see that anything has changed.
 */
export class ResourcesInForce {
  readonly #inForce = new Map<string, readonly XdsResource[]>();
  readonly #missed = new Map<number, Map<string, MissedOfType>>();

  of(typeUrl: string): readonly XdsResource[] {
    return this.#inForce.get(typeUrl) ?? [];
  }

  /** For a worker that has nothing of it, or something older. */
  *all(): Iterable<readonly [typeUrl: string, resources: readonly XdsResource[]]> {
    for (const typeUrl of applyOrder) {
      const resources = this.#inForce.get(typeUrl);
      if (resources !== undefined) yield [typeUrl, resources];
    }
  }

  /** @param late threads that are not told */
  set(typeUrl: string, resources: readonly XdsResource[], late: Iterable<number>): void {
    if (sharing.has(typeUrl)) for (const thread of late) this.#note(thread, typeUrl, resources);
    this.#inForce.set(typeUrl, resources);
  }

  /** This one gets all of a type. */
  told(thread: number, typeUrl: string): void {
    this.#missed.get(thread)?.delete(typeUrl);
  }

  /** It has ended. */
  forget(thread: number): void {
    this.#missed.delete(thread);
  }

  /** @returns the resource because of which the newest is not enough for this thread */
  cameBack(thread: number): string | undefined {
    for (const [typeUrl, { last, changed, removed }] of this.#missed.get(thread) ?? []) {
      for (const resource of this.of(typeUrl)) {
        const { name } = resource;
        if (removed.has(name) || (changed.has(name) && equal(resource, last.get(name)!))) return name;
      }
    }
    return undefined;
  }

  #note(thread: number, typeUrl: string, after: readonly XdsResource[]): void {
    const types = this.#missed.get(thread) ?? new Map<string, MissedOfType>();
    this.#missed.set(thread, types);
    const missed = types.get(typeUrl) ?? { last: byName(this.of(typeUrl)), changed: new Set(), removed: new Set() };
    types.set(typeUrl, missed);
    const now = byName(after);
    for (const [name, resource] of missed.last) {
      const found = now.get(name);
      if (found === undefined) missed.removed.add(name);
      else if (!equal(found, resource)) missed.changed.add(name);
    }
  }
}

const byName = (resources: readonly XdsResource[]): ReadonlyMap<string, XdsResource> =>
  new Map(resources.map((resource) => [resource.name, resource]));

const equal = (one: XdsResource, other: XdsResource): boolean =>
  one === other || Buffer.compare(one.body, other.body) === 0;
