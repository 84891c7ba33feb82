import type { CompiledMesh } from "@fairlead/compile";
import type { Audience } from "@fairlead/registration";
import { everythingScope } from "@fairlead/snapshot";

type Views = Pick<CompiledMesh, "scopes" | "nodes">;

/** Proxies by their nodes' ids; `unregistered`: also those that nobody registered. */
interface Proxies {
  readonly nodes: ReadonlySet<string>;
  readonly unregistered: boolean;
}

/** Who holds a resource, of one compile: scopes and nodes by the resource's key. */
class Holders {
  readonly #scopes = new Map<string, string[]>();
  readonly #nodes = new Map<string, string[]>();
  readonly #nodesOfScope: ReadonlyMap<string, readonly string[]>;

  constructor({ scopes, nodes }: Views) {
    const note = (map: Map<string, string[]>, keys: ReadonlySet<string>, id: string) => {
      for (const key of keys) {
        const ids = map.get(key);
        if (ids === undefined) map.set(key, [id]);
        else ids.push(id);
      }
    };
    for (const { id, keys } of scopes.values()) note(this.#scopes, keys, id);
    for (const { nodeId, keys } of nodes.values()) note(this.#nodes, keys, nodeId);
    const nodesOfScope = new Map<string, string[]>();
    for (const { nodeId, scopeId } of nodes.values()) note(nodesOfScope, new Set([scopeId]), nodeId);
    this.#nodesOfScope = nodesOfScope;
  }

  /** `scope <id>` and `node <id>`: what stands for all of its proxies. */
  of(key: string): string[] {
    return [
      ...(this.#scopes.get(key) ?? []).map((id) => `scope ${id}`),
      ...(this.#nodes.get(key) ?? []).map((id) => `node ${id}`),
    ];
  }

  proxies(holders: readonly string[]): Proxies {
    const nodes = holders.flatMap((holder) => {
      const id = holder.slice(holder.indexOf(" ") + 1);
      return holder.startsWith("node ") ? [id] : (this.#nodesOfScope.get(id) ?? []);
    });
    return { nodes: new Set(nodes), unregistered: holders.includes(`scope ${everythingScope}`) };
  }
}

/** The proxies that hold a resource before or after a change. Audiences that are equal are listed once. */
export class Audiences {
  readonly #before: Holders;
  readonly #after: Holders;
  readonly #indexes = new Map<string, number>();
  readonly list: Audience[] = [];

  constructor(before: Views, after: Views) {
    this.#before = new Holders(before);
    this.#after = new Holders(after);
  }

  /** Who holds it before or after. @returns the index of the audience in `list` */
  of(key: string): number {
    const before = this.#before.proxies(this.#before.of(key));
    const after = this.#after.proxies(this.#after.of(key));
    return this.#index({
      nodes: before.nodes.union(after.nodes),
      unregistered: before.unregistered || after.unregistered,
    });
  }

  /** Who gets a resource and did not hold it, and the other way round; undefined where that is nobody. */
  moved(key: string): { readonly gained: number | undefined; readonly lost: number | undefined } {
    const [heldBefore, heldAfter] = [this.#before.of(key), this.#after.of(key)];
    if (heldBefore.join("\n") === heldAfter.join("\n")) return { gained: undefined, lost: undefined };
    const [before, after] = [this.#before.proxies(heldBefore), this.#after.proxies(heldAfter)];
    const only = (left: Proxies, right: Proxies): number | undefined => {
      const nodes = left.nodes.difference(right.nodes);
      const unregistered = left.unregistered && !right.unregistered;
      return nodes.size === 0 && !unregistered ? undefined : this.#index({ nodes, unregistered });
    };
    return { gained: only(after, before), lost: only(before, after) };
  }

  #index({ nodes, unregistered }: Proxies): number {
    const sorted = [...nodes].toSorted();
    const id = `${unregistered} ${sorted.join(" ")}`;
    const index = this.#indexes.get(id) ?? this.list.push({ nodes: sorted, unregistered }) - 1;
    this.#indexes.set(id, index);
    return index;
  }
}
