import { Graph, type Input, type OutputChange } from "@fairlead/incremental";
import { type Catalogue, type Change, policyKey, type PolicyObject } from "@fairlead/model";
import type { CompiledResource, NodeView, ScopeView } from "@fairlead/snapshot";
import type { Contribution } from "./computations/contribution.ts";
import { instances, nodes, policies, services, subscriptions } from "./computations/facts.ts";
import { demandMesh } from "./computations/roots.ts";
import { contributionId, type MeshDifference, MeshState } from "./mesh-state.ts";
import type { RejectedObject } from "./service-plan.ts";

/** An object that cannot be used now; what it had compiled to before stays in force. */
export type RejectedCompile = RejectedObject;

/** All xDS resources of a mesh, and who holds which. */
export interface CompiledMesh {
  readonly revision: number;
  /** By key. */
  readonly resources: ReadonlyMap<string, CompiledResource>;
  /** By id; `everything` is always there. */
  readonly scopes: ReadonlyMap<string, ScopeView>;
  /** By node id. */
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** By kind and key. */
  readonly rejected: readonly RejectedCompile[];
  /** The policies that the routes follow: the current ones, and of those that are rejected the last that could be used. */
  readonly policiesInForce: ReadonlyMap<string, PolicyObject>;
  /** What each computation gave: what it falls back on when it can no longer give anything. */
  readonly contributions: ReadonlyMap<string, Contribution>;
}

/** What stays in force of an object that can no longer be compiled. */
export type CompiledBefore = Pick<CompiledMesh, "resources" | "policiesInForce" | "contributions">;

export const nothingBefore: CompiledBefore = {
  resources: new Map(),
  policiesInForce: new Map(),
  contributions: new Map(),
};

/** What one round of changes did. */
export interface CompileRound extends MeshDifference {
  /** How often each computation ran. */
  readonly runs: ReadonlyMap<string, number>;
  /** Computations that failed where none may; what they gave before stays. */
  readonly defects: readonly { readonly name: string; readonly key: string; readonly error: unknown }[];
}

const inputOf = { node: nodes, service: services, instance: instances, subscription: subscriptions } as const;
const collectionOf = [
  [nodes, "nodes"],
  [services, "services"],
  [instances, "instances"],
  [subscriptions, "subscriptions"],
] as const;

/** Two are enough as far as is known. */
const maxTurns = 4;

/**
 * Compiles a mesh, and then only what each change concerns.
 *
 * After every round it holds, byte for byte and in all that is rejected, what `compile(catalogue, before)` gives of the same
 * catalogue, where `before` is what this held before the round. It does not see the order of changes within a round.
 *
 * No view holds a route to a cluster that it lacks. An object that cannot be used is rejected, and what there was of it stays;
 * everything else is compiled.
 */
export class IncrementalCompiler {
  readonly #graph: Graph;
  readonly #state: MeshState;
  /** As they were applied. */
  readonly #policies = new Map<string, PolicyObject>();
  /** As they are followed. */
  readonly #inForce = new Map<string, PolicyObject>();
  readonly #lastGood: Map<string, PolicyObject>;
  /** Asked in the first round only. */
  #before: CompiledBefore;
  #revision = 0;

  constructor(before: CompiledBefore = nothingBefore) {
    this.#before = before;
    this.#graph = new Graph((computation, key) => {
      const { contributions } = this.#before;
      return contributions.size === 0 ? undefined : contributions.get(contributionId(computation, key));
    });
    this.#state = new MeshState(before.resources);
    this.#lastGood = new Map(before.policiesInForce);
    demandMesh(this.#graph);
  }

  /** As it is now: its maps change with the next round. */
  get mesh(): CompiledMesh {
    const { resources, scopes, nodes: views, rejected, policiesInForce, contributions } = this.#state;
    return { revision: this.#revision, resources, scopes, nodes: views, rejected, policiesInForce, contributions };
  }

  /** Takes a catalogue in place of all that it knows. What is the same in both is not compiled again. */
  reset(catalogue: Catalogue): CompileRound {
    for (const [input, collection] of collectionOf) {
      const values: ReadonlyMap<string, unknown> = catalogue[collection];
      const facts = input as Input<unknown>;
      const gone = [...this.#graph.entriesOf(facts).keys()].filter((key) => !values.has(key));
      for (const key of gone) this.#graph.set(facts, key, undefined);
      for (const [key, value] of values) this.#graph.set(facts, key, value);
    }
    const touched = new Set([...this.#lastGood.keys(), ...this.#policies.keys(), ...catalogue.policies.keys()]);
    this.#policies.clear();
    for (const [key, policy] of catalogue.policies) this.#policies.set(key, policy);
    return this.#round(touched, catalogue.revision);
  }

  /**
   * Takes changes in. Of several of one object the last counts.
   *
   * @param revision of the catalogue with all of them
   */
  apply(changes: Iterable<Change>, revision: number): CompileRound {
    const touched = new Set<string>();
    for (const change of changes) {
      const { key, value } = change;
      if (change.kind !== "policy") {
        this.#graph.set(inputOf[change.kind], key, value);
        continue;
      }
      if (change.value === undefined) this.#policies.delete(key);
      else this.#policies.set(key, change.value);
      touched.add(key);
    }
    return this.#round(touched, revision);
  }

  /**
   * Takes over what is in force elsewhere: where a policy cannot be used as it is, what `inForce` has of it is what it falls back on, or
   * nothing. Then it holds what a compile of the same catalogue with these policies in force gives, whatever rounds it has had.
   *
   * @param inForce by key
   */
  fallBackOn(inForce: ReadonlyMap<string, PolicyObject>): CompileRound {
    const touched = new Set<string>();
    for (const [key, current] of this.#policies) {
      if (this.#inForce.get(key) === current) continue;
      const good = inForce.get(key);
      if (samePolicy(good, this.#lastGood.get(key))) continue;
      if (good === undefined) this.#lastGood.delete(key);
      else this.#lastGood.set(key, good);
      touched.add(key);
    }
    return this.#round(touched, this.#revision);
  }

  #round(touched: ReadonlySet<string>, revision: number): CompileRound {
    for (const key of touched) this.#setCandidates(key);
    const turns: (readonly OutputChange[])[] = [];
    const runs = new Map<string, number>();
    const defects: CompileRound["defects"][number][] = [];
    let unsettled = touched;
    // What may be fallen back on follows from the round itself, and may show in it: again until it does not.
    for (let turn = 0; turn === 0 || (unsettled.size > 0 && turn < maxTurns); turn += 1) {
      const settled = this.#graph.settle();
      turns.push(settled.outputs);
      for (const [name, count] of settled.runs) runs.set(name, count + (runs.get(name) ?? 0));
      for (const { computation, key, error } of settled.failed) defects.push({ name: computation.name, key, error });
      unsettled = this.#rememberGood(settled.outputs, unsettled);
    }
    this.#before = nothingBefore;
    this.#revision = revision;
    return { ...this.#state.take(joined(turns), revision), runs, defects };
  }

  /** What is in force is what may be fallen back on from now on. @returns the policies that this is something else for than before */
  #rememberGood(outputs: readonly OutputChange[], touched: ReadonlySet<string>): ReadonlySet<string> {
    const keys = new Set(touched);
    for (const { before, now } of outputs as readonly { before?: Contribution; now?: Contribution }[]) {
      if (before?.inForce !== undefined) {
        keys.add(policyKey(before.inForce));
        this.#inForce.delete(policyKey(before.inForce));
      }
      if (now?.inForce === undefined) continue;
      keys.add(policyKey(now.inForce));
      this.#inForce.set(policyKey(now.inForce), now.inForce);
    }
    const changed = new Set([...keys].filter((key) => this.#lastGood.get(key) !== this.#inForce.get(key)));
    for (const key of changed) {
      const good = this.#inForce.get(key);
      if (good === undefined) this.#lastGood.delete(key);
      else this.#lastGood.set(key, good);
      this.#setCandidates(key);
    }
    return changed;
  }

  #setCandidates(key: string): void {
    const current = this.#policies.get(key);
    this.#graph.set(policies, key, current === undefined ? undefined : { current, lastGood: this.#lastGood.get(key) });
  }
}

function samePolicy(left: PolicyObject | undefined, right: PolicyObject | undefined): boolean {
  return left?.text === right?.text && left?.file === right?.file && left?.line === right?.line;
}

/** Several changes of one output are one. */
function joined(turns: readonly (readonly OutputChange[])[]): readonly OutputChange[] {
  if (turns.slice(1).every((outputs) => outputs.length === 0)) return turns[0] ?? [];
  const changes = new Map<string, OutputChange>();
  for (const { computation, key, before, now } of turns.flat()) {
    const id = contributionId(computation, key);
    const earlier = changes.get(id);
    changes.set(id, { computation, key, before: earlier === undefined ? before : earlier.before, now });
  }
  return [...changes.values()];
}
