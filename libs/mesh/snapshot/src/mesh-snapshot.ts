import type { CompiledResource, NodeView, ScopeView } from "./compiled-resource.ts";
import type { DecodedEntry } from "./decode-entry.ts";
import { ResourceSet } from "./resource-set.ts";
import { NodeOverScope, NodeResources, type ResourceView } from "./resource-view.ts";
import { ScopeMoves } from "./scope-moves.ts";
import { type TouchedNames, TouchedOwners } from "./touched-names.ts";

/** The scope of a node that the compiler does not know. */
export const everythingScope = "everything";

export type SnapshotChange =
  | Exclude<DecodedEntry, { kind: "head" }>
  | { readonly kind: "resource" | "scope" | "node"; readonly id: string; readonly value: undefined };

export interface SnapshotDifference {
  /** Keys of resources that are new or have a new content. */
  readonly changed: ReadonlySet<string>;
  /** Keys of resources that are gone. */
  readonly removed: ReadonlySet<string>;
  /** Scopes whose view changed: by what they hold, or by its content. */
  readonly changedScopes: ReadonlyMap<string, TouchedNames>;
  /** Nodes whose own part of their view changed, or whose scope is another one. */
  readonly changedNodes: ReadonlyMap<string, TouchedNames>;
}

/** Which owners (scopes or nodes) hold a key. */
class Holders {
  readonly #owners = new Map<string, Set<string>>();

  of(key: string): Iterable<string> {
    return this.#owners.get(key) ?? [];
  }
  add(key: string, owner: string): void {
    const owners = this.#owners.get(key);
    if (owners === undefined) this.#owners.set(key, new Set([owner]));
    else owners.add(owner);
  }
  delete(key: string, owner: string): void {
    const owners = this.#owners.get(key);
    owners?.delete(owner);
    if (owners?.size === 0) this.#owners.delete(key);
  }
}

function sameContent(a: CompiledResource, b: CompiledResource): boolean {
  return a.version === b.version && a.name === b.name && a.typeUrl === b.typeUrl && a.onDemand === b.onDemand;
}

const nothing = new ResourceSet();
const noKeys: ReadonlySet<string> = new Set();

/** The resources of the whole mesh, and who holds which. A change costs what it touches, not the mesh. */
export class MeshSnapshot {
  readonly #resources = new Map<string, CompiledResource>();
  readonly #scopes = new Map<string, { view: ScopeView; set: ResourceSet }>();
  readonly #nodes = new Map<string, { view: NodeView; resources: NodeResources }>();
  readonly #scopesWith = new Holders();
  readonly #nodesWith = new Holders();

  ids(kind: "resource" | "scope" | "node"): Iterable<string> {
    return { resource: this.#resources, scope: this.#scopes, node: this.#nodes }[kind].keys();
  }

  scopeOf(nodeId: string): string {
    return this.#nodes.get(nodeId)?.view.scopeId ?? everythingScope;
  }

  viewOf(nodeId: string): ResourceView {
    const node = this.#nodes.get(nodeId);
    const scopeId = node?.view.scopeId ?? everythingScope;
    const scope = this.#scopes.get(scopeId)?.set ?? nothing;
    return new NodeOverScope({ nodeId, scopeId, scope, own: node?.resources });
  }

  /** Applies all changes as one. Keys that nobody defined yet are allowed; their resources may come later. */
  apply(changes: readonly SnapshotChange[]): SnapshotDifference {
    const touchedScopes = new TouchedOwners();
    const touchedNodes = new TouchedOwners();
    const moves = new ScopeMoves((scopeId) => this.#scopes.get(scopeId)?.set ?? nothing);
    for (const change of changes) {
      if (change.kind === "node")
        moves.before(change.id, this.scopeOf(change.id), change.value?.scopeId ?? everythingScope);
    }
    const changed = new Set<string>();
    const removed = new Set<string>();
    for (const change of changes) {
      if (change.kind === "resource") {
        this.#applyResource(change.id, change.value, { changed, removed, touchedScopes, touchedNodes });
      }
    }
    for (const change of changes) {
      if (change.kind === "scope") this.#applyScope(change.id, change.value, touchedScopes);
      if (change.kind === "node") this.#applyNode(change.id, change.value, touchedNodes);
    }
    return {
      changed,
      removed,
      changedScopes: touchedScopes.result(),
      changedNodes: moves.addTo(touchedNodes.result()),
    };
  }

  #applyResource(
    key: string,
    next: CompiledResource | undefined,
    into: { changed: Set<string>; removed: Set<string>; touchedScopes: TouchedOwners; touchedNodes: TouchedOwners },
  ): void {
    const last = this.#resources.get(key);
    if (next === undefined) {
      if (last === undefined) return;
      this.#resources.delete(key);
      into.removed.add(key);
    } else {
      this.#resources.set(key, next);
    }
    const isNew = last === undefined || next === undefined || !sameContent(last, next);
    if (next !== undefined && isNew) into.changed.add(key);
    const replaceIn = (set: ResourceSet | NodeResources, owner: string, touched: TouchedOwners) => {
      if (last !== undefined) set.delete(last);
      if (next !== undefined) set.set(next);
      if (!isNew) return;
      if (last !== undefined) touched.add(owner, last);
      if (next !== undefined) touched.add(owner, next);
    };
    for (const scopeId of this.#scopesWith.of(key)) {
      const scope = this.#scopes.get(scopeId);
      if (scope !== undefined) replaceIn(scope.set, scopeId, into.touchedScopes);
    }
    for (const nodeId of this.#nodesWith.of(key)) {
      const node = this.#nodes.get(nodeId);
      if (node !== undefined) replaceIn(node.resources, nodeId, into.touchedNodes);
    }
  }

  #applyScope(id: string, next: ScopeView | undefined, touched: TouchedOwners): void {
    const last = this.#scopes.get(id);
    const set = last?.set ?? new ResourceSet();
    this.#applyKeys(id, last?.view.keys ?? noKeys, next?.keys ?? noKeys, { set, holders: this.#scopesWith, touched });
    if (next === undefined) this.#scopes.delete(id);
    else this.#scopes.set(id, { view: next, set });
  }

  #applyNode(id: string, next: NodeView | undefined, touched: TouchedOwners): void {
    const last = this.#nodes.get(id);
    const set = last?.resources ?? new NodeResources();
    this.#applyKeys(id, last?.view.keys ?? noKeys, next?.keys ?? noKeys, { set, holders: this.#nodesWith, touched });
    if (next === undefined) this.#nodes.delete(id);
    else this.#nodes.set(id, { view: next, resources: set });
  }

  #applyKeys(
    owner: string,
    last: ReadonlySet<string>,
    next: ReadonlySet<string>,
    { set, holders, touched }: { set: ResourceSet | NodeResources; holders: Holders; touched: TouchedOwners },
  ): void {
    for (const key of last) {
      if (next.has(key)) continue;
      holders.delete(key, owner);
      const resource = this.#resources.get(key);
      if (resource === undefined) continue;
      set.delete(resource);
      touched.add(owner, resource);
    }
    for (const key of next) {
      if (last.has(key)) continue;
      holders.add(key, owner);
      const resource = this.#resources.get(key);
      if (resource === undefined) continue;
      set.set(resource);
      touched.add(owner, resource);
    }
  }
}
