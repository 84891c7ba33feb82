import type { OutputChange } from "@fairlead/incremental";
import { type PolicyObject, policyKey } from "@fairlead/model";
import type { CompiledResource, NodeView, ScopeView } from "@fairlead/snapshot";
import { type RenderedResource, sameContent } from "./compiled.ts";
import type { Contribution } from "./computations/contribution.ts";
import { compareText } from "./compare-text.ts";
import type { RejectedObject } from "./service-plan.ts";

/** What a round changed of one kind of thing. */
export interface Changes<Value> {
  readonly changed: readonly Value[];
  /** Their keys. */
  readonly removed: readonly string[];
}

/** What a round changed of a mesh. */
export interface MeshDifference {
  readonly resources: Changes<CompiledResource>;
  readonly scopes: Changes<ScopeView>;
  readonly nodes: Changes<NodeView>;
  /** Of the policies in force. */
  readonly policies: Changes<PolicyObject>;
}

/** What contributions are kept by. */
export function contributionId({ name }: { readonly name: string }, key: string): string {
  return `${name}\n${key}`;
}

/** Puts the contributions together. It costs what has changed. */
export class MeshState {
  readonly resources = new Map<string, CompiledResource>();
  readonly scopes = new Map<string, ScopeView>();
  readonly nodes = new Map<string, NodeView>();
  readonly policiesInForce = new Map<string, PolicyObject>();
  readonly contributions = new Map<string, Contribution>();
  readonly #rejected = new Map<string, readonly RejectedObject[]>();
  readonly #before: ReadonlyMap<string, CompiledResource>;

  /** @param before resources of before: those that are the same keep their revision */
  constructor(before: ReadonlyMap<string, CompiledResource>) {
    this.#before = before;
  }

  /** All that is rejected, by its kind, key and reason, each once. */
  get rejected(): readonly RejectedObject[] {
    const byText = new Map([...this.#rejected.values()].flat().map((one) => [textOf(one), one]));
    return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, one]) => one);
  }

  take(outputs: readonly OutputChange[], revision: number): MeshDifference {
    const changes = outputs as readonly (OutputChange & { before?: Contribution; now?: Contribution })[];
    for (const { computation, key, now } of changes) {
      const id = contributionId(computation, key);
      if (now === undefined) this.contributions.delete(id);
      else this.contributions.set(id, now);
      if (now?.rejected === undefined || now.rejected.length === 0) this.#rejected.delete(id);
      else this.#rejected.set(id, now.rejected);
    }
    const rendered = collect<RenderedResource>(
      changes,
      ({ resources = [] }) => resources,
      ({ key }) => key,
    );
    return {
      resources: applied(this.resources, rendered, (resource) => this.#stamped(resource, revision)),
      scopes: applied(
        this.scopes,
        collect(
          changes,
          ({ scope }) => present(scope),
          ({ id }) => id,
        ),
      ),
      nodes: applied(
        this.nodes,
        collect(
          changes,
          ({ node }) => present(node),
          ({ nodeId }) => nodeId,
        ),
      ),
      policies: applied(
        this.policiesInForce,
        collect(changes, ({ inForce }) => present(inForce), policyKey),
      ),
    };
  }

  /** The same object where nothing is different, so that its revision tells when its content changed last. */
  #stamped(resource: RenderedResource, revision: number): CompiledResource {
    const known = this.resources.get(resource.key) ?? this.#before.get(resource.key);
    return known !== undefined && sameContent(known, resource) ? known : { ...resource, revision };
  }
}

function textOf({ provenance, code, message }: RejectedObject): string {
  return JSON.stringify([provenance.kind, provenance.key, code, message, provenance.file, provenance.line]);
}

function present<Value>(value: Value | undefined): readonly Value[] {
  return value === undefined ? [] : [value];
}

/** What a round says of each key: its value, or undefined when nobody gives it any more. */
function collect<Value>(
  changes: readonly { readonly before?: Contribution; readonly now?: Contribution }[],
  valuesOf: (contribution: Contribution) => readonly Value[],
  keyOf: (value: Value) => string,
): Map<string, Value | undefined> {
  const collected = new Map<string, Value | undefined>();
  for (const { before } of changes) {
    if (before !== undefined) for (const value of valuesOf(before)) collected.set(keyOf(value), undefined);
  }
  // After all that is gone: a key may go from one contribution to another.
  for (const { now } of changes) {
    if (now !== undefined) for (const value of valuesOf(now)) collected.set(keyOf(value), value);
  }
  return collected;
}

function applied<Value, Kept extends Value>(
  kept: Map<string, Kept>,
  collected: ReadonlyMap<string, Value | undefined>,
  toKeep: (value: Value) => Kept = (value) => value as Kept,
): Changes<Kept> {
  const changed: Kept[] = [];
  const removed: string[] = [];
  for (const [key, value] of collected) {
    if (value === undefined) {
      kept.delete(key);
      removed.push(key);
      continue;
    }
    const next = toKeep(value);
    if (kept.get(key) === next) continue;
    kept.set(key, next);
    changed.push(next);
  }
  return { changed, removed };
}
