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

type List = readonly CompiledResource[];

/**
 * Lists of a scope's resources overlaid with own ones: by the scope's list, then by what the own ones are. Nodes whose own
 * resources have equal contents (most have: an inbound cluster of the same port) share one list, and with it all that is
 * kept for a list. Its own entries are then those of the node that came first.
 */
const overlaid = new WeakMap<List, Map<string, WeakRef<List>>>();

function overlay(inherited: List, own: ReadonlyMap<string, CompiledResource>): List {
  let lists = overlaid.get(inherited);
  if (lists === undefined) overlaid.set(inherited, (lists = new Map()));
  const contents = Array.from(own.values(), ({ name, version, onDemand }) => `${name}\0${version}\0${onDemand}`);
  const mark = contents.sort().join("\0");
  const known = lists.get(mark)?.deref();
  if (known !== undefined) return known;
  const byName = new Map(inherited.map((resource) => [resource.name, resource]));
  for (const resource of own.values()) byName.set(resource.name, resource);
  const list = sortedWildcard(byName.values());
  lists.set(mark, new WeakRef(list));
  return list;
}

/** The resources of a scope, overlaid with those of the node itself. */
export class NodeResources {
  readonly own = new ResourceSet();
  readonly #merged = new Map<string, { from: List; list: List }>();

  wildcard(typeUrl: string, scope: ResourceSet): List {
    const inherited = scope.wildcard(typeUrl);
    const own = this.own.byName(typeUrl);
    if (own.size === 0) return inherited;
    const known = this.#merged.get(typeUrl);
    if (known?.from === inherited) return known.list;
    const list = overlay(inherited, own);
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

/** What a node sees. One is made several times a push, so it is one small object. */
export class NodeOverScope implements ResourceView {
  readonly nodeId: string;
  readonly scopeId: string;
  readonly #scope: ResourceSet;
  /** undefined = nobody registered the node. */
  readonly #node: NodeResources | undefined;

  constructor(parts: {
    readonly nodeId: string;
    readonly scopeId: string;
    readonly scope: ResourceSet;
    readonly own: NodeResources | undefined;
  }) {
    this.nodeId = parts.nodeId;
    this.scopeId = parts.scopeId;
    this.#scope = parts.scope;
    this.#node = parts.own;
  }

  get registered(): boolean {
    return this.#node !== undefined;
  }

  resources(typeUrl: string): List {
    return this.#node?.wildcard(typeUrl, this.#scope) ?? this.#scope.wildcard(typeUrl);
  }

  all(typeUrl: string): CompiledResource[] {
    const byName = new Map<string, CompiledResource>();
    for (const resource of this.#scope.values(typeUrl)) byName.set(resource.name, resource);
    for (const resource of this.#node?.own.values(typeUrl) ?? []) byName.set(resource.name, resource);
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(typeUrl: string, name: string): CompiledResource | undefined {
    return this.#node?.own.get(typeUrl, name) ?? this.#scope.get(typeUrl, name);
  }
}
