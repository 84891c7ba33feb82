import type { Node } from "./node.ts";
import type { Computation, Reading, Source } from "./source.ts";

/** What a run has changed of who reads and holds what. */
interface RunEnd {
  readonly held: Iterable<Node>;
  readonly letGo: Iterable<Node>;
  /** What it read before, and did not read now. */
  readonly unread: Iterable<Node>;
}

let runs = 0;
const noNodes: ReadonlySet<Node> = new Set();

/** One run of a computation. It reads mostly what it read before, in the same order: as long as that is so, nothing is recorded anew. */
export class Run implements Reading {
  /** A number, and not the run itself: nodes outlive it. */
  readonly #id = (runs += 1);
  readonly #reader: Node;
  readonly #nodeOf: (source: Source<unknown>, key: string) => Node;
  readonly #bringUpToDate: (node: Node) => void;
  /** How many of the reads of before were read again, in their order. */
  #same = 0;
  /** All that was read from the first difference on. */
  #further: Node[] | undefined;
  #holds: Set<Node> | undefined;

  constructor(
    reader: Node,
    nodeOf: (source: Source<unknown>, key: string) => Node,
    bringUpToDate: (node: Node) => void,
  ) {
    this.#reader = reader;
    this.#nodeOf = nodeOf;
    this.#bringUpToDate = bringUpToDate;
  }

  get<Value>(source: Source<Value>, key: string): Value {
    const node = this.#nodeOf(source, key);
    if (node.readBy !== this.#id) this.#record(node);
    this.#bringUpToDate(node);
    if (node.failure !== undefined) throw node.failure.error;
    return node.value as Value;
  }

  hold(computation: Computation<unknown>, key: string): void {
    this.#holds ??= new Set();
    this.#holds.add(this.#nodeOf(computation, key));
  }

  end(): RunEnd {
    const reader = this.#reader;
    const { reads: readBefore, holds: heldBefore } = reader;
    reader.holds = this.#holds ?? noNodes;
    // Most hold nothing, and read what they read before or run for the first time: no list is made for these.
    const held = reader.holds.size === 0 ? [] : [...reader.holds].filter((node) => !heldBefore.has(node));
    const letGo = heldBefore.size === 0 ? [] : [...heldBefore].filter((node) => !reader.holds.has(node));
    const readsOn = this.#same === readBefore.length;
    if (this.#further === undefined && readsOn) return { held, letGo, unread: [] };
    const further = this.#further ?? [];
    // A copy has no room for more: what is kept is as large as what it has.
    reader.reads = this.#same === 0 ? further.slice() : [...readBefore.slice(0, this.#same), ...further];
    if (readsOn) return { held, letGo, unread: [] };
    const reads = new Set(reader.reads);
    const unread = readBefore.slice(this.#same).filter((node) => !reads.has(node));
    for (const node of unread) node.removeReader(reader);
    return { held, letGo, unread };
  }

  /** A node may be recorded twice, when a run within this one read it in between. */
  #record(node: Node): void {
    node.readBy = this.#id;
    if (this.#further === undefined && this.#reader.reads[this.#same] === node) {
      this.#same += 1;
      return;
    }
    this.#further ??= [];
    this.#further.push(node);
    node.addReader(this.#reader);
  }
}
