import type { CompiledResource } from "./compiled-resource.ts";

const none: readonly CompiledResource[] = [];
const noNames: ReadonlyMap<string, CompiledResource> = new Map();

interface OfType {
  readonly byName: Map<string, CompiledResource>;
  /** Sorted, without what is on demand; undefined after a change, until somebody asks. */
  wildcard: readonly CompiledResource[] | undefined;
}

/** Resources by type and name. A list that is handed out stays as it is: a change makes a new one. */
export class ResourceSet {
  readonly #types = new Map<string, OfType>();

  get(typeUrl: string, name: string): CompiledResource | undefined {
    return this.#types.get(typeUrl)?.byName.get(name);
  }

  /** All but those on demand, by name. The same array until one of them changes. */
  wildcard(typeUrl: string): readonly CompiledResource[] {
    const ofType = this.#types.get(typeUrl);
    if (ofType === undefined) return none;
    ofType.wildcard ??= sortedWildcard(ofType.byName.values());
    return ofType.wildcard;
  }

  byName(typeUrl: string): ReadonlyMap<string, CompiledResource> {
    return this.#types.get(typeUrl)?.byName ?? noNames;
  }

  values(typeUrl: string): Iterable<CompiledResource> {
    return this.#types.get(typeUrl)?.byName.values() ?? none;
  }

  typeUrls(): Iterable<string> {
    return this.#types.keys();
  }

  set(resource: CompiledResource): void {
    let ofType = this.#types.get(resource.typeUrl);
    if (ofType === undefined) this.#types.set(resource.typeUrl, (ofType = { byName: new Map(), wildcard: undefined }));
    ofType.byName.set(resource.name, resource);
    ofType.wildcard = undefined;
  }

  /** Removes exactly this resource: one of equal name under another key stays. */
  delete(resource: CompiledResource): void {
    const ofType = this.#types.get(resource.typeUrl);
    if (ofType === undefined || ofType.byName.get(resource.name) !== resource) return;
    ofType.byName.delete(resource.name);
    ofType.wildcard = undefined;
    if (ofType.byName.size === 0) this.#types.delete(resource.typeUrl);
  }
}

export function sortedWildcard(resources: Iterable<CompiledResource>): readonly CompiledResource[] {
  return [...resources].filter((resource) => !resource.onDemand).sort((a, b) => (a.name < b.name ? -1 : 1));
}
