import type { CompiledResource } from "./compiled-resource.ts";
import { ResourceSet, sortedWildcard } from "./resource-set.ts";

/** What one proxy may be sent. It follows the replica: read it within one turn of the event loop. */
export interface ResourceView {
  readonly nodeId: string;
  readonly scopeId: string;
  /** Whether the compiler knows the node. One that it does not know sees the scope `everything`. */
  readonly registered: boolean;
  /** What a wildcard subscription gets, by name: all but resources on demand. Two views of equal content share the array. */
  resources(typeUrl: string): readonly CompiledResource[];
  /** All there is of a type, those on demand too, by name. Makes a new list. */
  all(typeUrl: string): CompiledResource[];
  /** By name, those on demand too. */
  get(typeUrl: string, name: string): CompiledResource | undefined;
}

/** The resources of a scope, overlaid with those of the node itself. */
export class NodeResources {
  readonly own = new ResourceSet();
  readonly #merged = new Map<string, { from: readonly CompiledResource[]; list: readonly CompiledResource[] }>();

  wildcard(typeUrl: string, scope: ResourceSet): readonly CompiledResource[] {
    const inherited = scope.wildcard(typeUrl);
    const own = [...this.own.values(typeUrl)];
    if (own.length === 0) return inherited;
    const known = this.#merged.get(typeUrl);
    if (known?.from === inherited) return known.list;
    const byName = new Map(inherited.map((resource) => [resource.name, resource]));
    for (const resource of own) byName.set(resource.name, resource);
    const list = sortedWildcard(byName.values());
    this.#merged.set(typeUrl, { from: inherited, list });
    return list;
  }

  set(resource: CompiledResource): void {
    this.own.set(resource);
    this.#merged.delete(resource.typeUrl);
  }

  delete(resource: CompiledResource): void {
    this.own.delete(resource);
    this.#merged.delete(resource.typeUrl);
  }
}
