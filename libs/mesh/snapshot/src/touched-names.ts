import type { CompiledResource } from "./compiled-resource.ts";

/** Names by type URL whose resource may have appeared, changed or gone. */
export type TouchedNames = ReadonlyMap<string, ReadonlySet<string>>;

/** Collects touched names of many owners: scopes or nodes. */
export class TouchedOwners {
  readonly #owners = new Map<string, Map<string, Set<string>>>();

  add(owner: string, resource: Pick<CompiledResource, "typeUrl" | "name">): void {
    let types = this.#owners.get(owner);
    if (types === undefined) this.#owners.set(owner, (types = new Map()));
    const names = types.get(resource.typeUrl);
    if (names === undefined) types.set(resource.typeUrl, new Set([resource.name]));
    else names.add(resource.name);
  }

  delete(owner: string): void {
    this.#owners.delete(owner);
  }

  result(): ReadonlyMap<string, TouchedNames> {
    return this.#owners;
  }
}
