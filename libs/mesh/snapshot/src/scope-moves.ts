import type { CompiledResource } from "./compiled-resource.ts";
import type { ResourceSet } from "./resource-set.ts";
import type { TouchedNames } from "./touched-names.ts";

type Contents = Map<string, Map<string, CompiledResource>>;

/** What changes for nodes that go from one scope to another. Nodes with the same move share its result. */
export class ScopeMoves {
  readonly #setOf: (scopeId: string) => ResourceSet;
  readonly #moves = new Map<string, { from: string; to: string }>();
  readonly #contentsBefore = new Map<string, Contents>();

  constructor(setOf: (scopeId: string) => ResourceSet) {
    this.#setOf = setOf;
  }

  /** To be called before the scopes change: the one that the node leaves may be deleted by the same commit. */
  before(nodeId: string, from: string, to: string): void {
    if (from === to) return;
    this.#moves.set(nodeId, { from, to });
    if (!this.#contentsBefore.has(from)) this.#contentsBefore.set(from, contentsOf(this.#setOf(from)));
  }

  /** To be called after the change. @returns `touched` with what the moves touch */
  addTo(touched: ReadonlyMap<string, TouchedNames>): ReadonlyMap<string, TouchedNames> {
    if (this.#moves.size === 0) return touched;
    const result = new Map(touched);
    const known = new Map<string, TouchedNames>();
    for (const [nodeId, { from, to }] of this.#moves) {
      const pair = `${from}\n${to}`;
      let names = known.get(pair);
      if (names === undefined) {
        names = differingNames(this.#contentsBefore.get(from) ?? new Map(), contentsOf(this.#setOf(to)));
        known.set(pair, names);
      }
      const own = result.get(nodeId);
      result.set(nodeId, own === undefined ? names : mergeTouched(own, names));
    }
    return result;
  }
}

/** @returns a new map; the arguments stay as they are */
export function mergeTouched(...parts: readonly TouchedNames[]): TouchedNames {
  const merged = new Map<string, Set<string>>();
  for (const part of parts) {
    for (const [typeUrl, names] of part) {
      const all = merged.get(typeUrl);
      if (all === undefined) merged.set(typeUrl, new Set(names));
      else for (const name of names) all.add(name);
    }
  }
  return merged;
}

function contentsOf(set: ResourceSet): Contents {
  const contents: Contents = new Map();
  for (const typeUrl of set.typeUrls()) {
    contents.set(typeUrl, new Map([...set.values(typeUrl)].map((resource) => [resource.name, resource])));
  }
  return contents;
}

function differingNames(a: Contents, b: Contents): TouchedNames {
  const touched = new Map<string, Set<string>>();
  for (const typeUrl of new Set([...a.keys(), ...b.keys()])) {
    const [inA, inB] = [a.get(typeUrl), b.get(typeUrl)];
    const names = new Set<string>();
    for (const [name, resource] of inA ?? []) if (inB?.get(name)?.version !== resource.version) names.add(name);
    for (const name of inB?.keys() ?? []) if (inA?.has(name) !== true) names.add(name);
    if (names.size > 0) touched.set(typeUrl, names);
  }
  return touched;
}
