import { Facts } from "./facts.ts";
import { Node } from "./node.ts";
import { Run } from "./run.ts";
import type { Computation, Input, Source } from "./source.ts";

/** A new value of an output. */
export interface OutputChange {
  readonly computation: Computation<unknown>;
  readonly key: string;
  /** Undefined for an output that is new. */
  readonly before: unknown;
  /** Undefined for an output that nobody holds any more. */
  readonly now: unknown;
}

/** What one round did. */
export interface Settled {
  /** In no order that means anything. */
  readonly outputs: readonly OutputChange[];
  /** How often each computation ran, by its name. */
  readonly runs: ReadonlyMap<string, number>;
  /** Outputs that threw: their last value still stands. An output that foresees its errors gives them as part of its value. */
  readonly failed: readonly FailedOutput[];
}

export interface FailedOutput {
  readonly computation: Computation<unknown>;
  readonly key: string;
  readonly error: unknown;
}

/** @returns what a computation that has never run takes for its previous value; undefined = nothing */
export type PreviousValues = (computation: Computation<unknown>, key: string) => unknown;

/**
 * Computed values, and who read what: the inverted index from a change to what depends on it.
 *
 *     set ──▶ input ──▶ index ──▶ computation ──▶ computation ──▶ output
 *             (marks everything to the right as suspect; what is suspect already is not gone through again)
 *     settle ◀── each suspect asks its own suspects, in the order that it read them; the first that did change makes it run;
 *                where none did, or the new value equals the old one, what reads it is right as it is
 *
 * Only what is demanded or held is brought up to date, and what nobody reads or holds after a round is dropped. Each computation runs
 * at most once a round, and sees only values that are right.
 */
export class Graph {
  readonly #facts = new Facts();
  readonly #nodes = new Map<Source<unknown>, Map<string, Node>>();
  readonly #demanded = new Set<Node>();
  readonly #demandedOfEach = new Map<Input<unknown>, Computation<unknown>>();
  /** Held nodes that may be out of date. */
  readonly #waiting = new Set<Node>();
  readonly #orphans = new Set<Node>();
  #round = 1;
  #changed = new Map<Node, { before: unknown }>();
  #runs = new Map<string, number>();
  #failed: FailedOutput[] = [];
  readonly #previous: PreviousValues | undefined;
  // One of each for all runs.
  readonly #find = (source: Source<unknown>, key: string) => this.#nodeOf(source, key);
  readonly #refresh = (node: Node) => this.#bringUpToDate(node);

  constructor(previous?: PreviousValues) {
    this.#previous = previous;
  }

  /** Sets a fact, or removes it with undefined. Its effects are there after `settle`. */
  set<Value>(input: Input<Value | undefined>, key: string, value: Value | undefined): void {
    const moved = this.#facts.set(input, key, value);
    if (moved === undefined) return;
    this.#touch(input, key);
    const each = this.#demandedOfEach.get(input);
    if (each !== undefined) {
      if (value === undefined) this.release(each, key);
      else this.demand(each, key);
    }
    for (const [index, groups] of moved) for (const group of groups) this.#touch(index, group);
  }

  /** The facts as they are set. */
  entriesOf<Value>(input: Input<Value | undefined>): ReadonlyMap<string, Value> {
    return this.#facts.entriesOf(input) as ReadonlyMap<string, Value>;
  }

  /** Keeps a computation, and all that it holds, up to date from now on. */
  demand(computation: Computation<unknown>, key: string): void {
    const node = this.#nodeOf(computation, key);
    if (this.#demanded.has(node)) return;
    this.#demanded.add(node);
    this.#hold(node);
  }

  /** Demands a computation for each key of an input, as they come and go. To be said before there is one. */
  demandEach(input: Input<unknown>, computation: Computation<unknown>): void {
    this.#demandedOfEach.set(input, computation);
  }

  release(computation: Computation<unknown>, key: string): void {
    const node = this.#nodes.get(computation)?.get(key);
    if (node !== undefined && this.#demanded.delete(node)) this.#letGo(node);
  }

  /** Brings everything that is demanded up to date. */
  settle(): Settled {
    for (const node of this.#waiting) {
      this.#waiting.delete(node);
      if (node.isWanted) this.#bringUpToDate(node);
    }
    this.#dropOrphans();
    const outputs = [...this.#changed].map(([node, { before }]) => ({
      computation: node.source as Computation<unknown>,
      key: node.key,
      before,
      now: node.isWanted ? node.value : undefined,
    }));
    const settled = { outputs, runs: this.#runs, failed: this.#failed };
    this.#changed = new Map();
    this.#runs = new Map();
    this.#failed = [];
    this.#round += 1;
    return settled;
  }

  #nodeOf(source: Source<unknown>, key: string): Node {
    let nodes = this.#nodes.get(source);
    if (nodes === undefined) this.#nodes.set(source, (nodes = new Map()));
    let node = nodes.get(key);
    if (node === undefined) nodes.set(key, (node = new Node(source, key)));
    return node;
  }

  /** A fact has changed: all that depends on it is suspect. */
  #touch(source: Source<unknown>, key: string): void {
    const node = this.#nodes.get(source)?.get(key);
    if (node === undefined) return;
    node.changedAt = this.#round;
    this.#suspectReadersOf(node);
  }

  #suspectReadersOf(changed: Node): void {
    const stack = [changed];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      for (const reader of node.readers) {
        if (reader.suspects === undefined) {
          reader.suspects = new Set();
          stack.push(reader);
          if (reader.holders > 0) this.#waiting.add(reader);
        }
        reader.suspects.add(node);
      }
    }
  }

  #bringUpToDate(node: Node): void {
    if (node.source.kind !== "computation") return this.#lookUp(node);
    if (node.isRunning) throw new Error(`${node.source.name} of ${JSON.stringify(node.key)} depends on itself`);
    if (node.verifiedAt === 0 || this.#hasChangedReads(node)) this.#run(node, node.source);
    node.suspects = undefined;
    node.verifiedAt = this.#round;
  }

  #lookUp(node: Node): void {
    const { source, key } = node;
    if (source.kind === "input") node.value = this.#facts.valueOf(source, key);
    else if (source.kind === "index") node.value = this.#facts.groupOf(source, key);
  }

  /** In the order of reading: what was read later may have been read only because of what was read before it. */
  #hasChangedReads(node: Node): boolean {
    const { reads, suspects, verifiedAt } = node;
    if (suspects === undefined) return false;
    const inOrder = suspects.size === 1 ? suspects : reads.filter((read) => suspects.has(read));
    for (const suspect of inOrder) {
      this.#bringUpToDate(suspect);
      if (suspect.changedAt > verifiedAt) return true;
    }
    return false;
  }

  #run(node: Node, computation: Computation<unknown>): void {
    const run = new Run(node, this.#find, this.#refresh);
    node.isRunning = true;
    this.#runs.set(computation.name, (this.#runs.get(computation.name) ?? 0) + 1);
    if (node.verifiedAt === 0) {
      node.value = this.#previous?.(computation, node.key);
      node.changedAt = this.#round;
    }
    try {
      this.#take(node, computation, computation.compute(run, node.key, node.value));
    } catch (error) {
      if (!sameFailure(node.failure?.error, error)) node.changedAt = this.#round;
      node.failure = { error };
      if (computation.isOutput) this.#failed.push({ computation, key: node.key, error });
    } finally {
      node.isRunning = false;
    }
    const { letGo, held, unread } = run.end();
    for (const other of letGo) this.#letGo(other);
    for (const other of held) this.#hold(other);
    for (const other of unread) if (!other.isWanted) this.#orphans.add(other);
  }

  #take(node: Node, computation: Computation<unknown>, value: unknown): void {
    if (node.hasValue && computation.same(node.value, value)) {
      // A new but equal value is dropped: what others hold of the old one stays the same object.
      if (node.failure !== undefined) node.changedAt = this.#round;
    } else {
      if (computation.isOutput) this.#changed.set(node, { before: node.hasValue ? node.value : undefined });
      node.value = value;
      node.hasValue = true;
      node.changedAt = this.#round;
    }
    node.failure = undefined;
  }

  #hold(node: Node): void {
    node.holders += 1;
    if (node.verifiedAt === 0 || node.suspects !== undefined) this.#waiting.add(node);
  }

  #letGo(node: Node): void {
    node.holders -= 1;
    if (!node.isWanted) this.#orphans.add(node);
  }

  #dropOrphans(): void {
    for (const node of this.#orphans) {
      this.#orphans.delete(node);
      if (node.isWanted) continue;
      const { source, key } = node;
      this.#nodes.get(source)?.delete(key);
      for (const held of node.holds) this.#letGo(held);
      for (const read of node.reads) {
        read.removeReader(node);
        if (!read.isWanted) this.#orphans.add(read);
      }
      if (source.kind !== "computation" || !source.isOutput) continue;
      const change = this.#changed.get(node);
      // New and dropped in one round: nobody has seen it.
      if (change !== undefined && change.before === undefined) this.#changed.delete(node);
      else if (node.hasValue) this.#changed.set(node, { before: change?.before ?? node.value });
    }
  }
}

function sameFailure(left: unknown, right: unknown): boolean {
  return left instanceof Error && right instanceof Error && left.message === right.message && left.name === right.name;
}
