import type { Source } from "./source.ts";

// Most nodes read little and hold nothing.
const noNodes: readonly Node[] = [];
const emptySet: ReadonlySet<Node> = new Set();
/** Up to here a list is looked through faster than a set. */
const maxFew = 8;

/** The value of one source at one key, with who reads it. */
export class Node {
  readonly source: Source<unknown>;
  readonly key: string;
  /** The last value that was computed without an error. */
  value: unknown;
  hasValue = false;
  /** Why there is no newer value; set while the last run threw. */
  failure: { readonly error: unknown } | undefined;
  /** The round that changed the value or the failure. */
  changedAt = 0;
  /** The round that it was last known to be right at; 0 = never computed. */
  verifiedAt = 0;
  isRunning = false;
  /** What it read, in the order of reading. */
  reads: readonly Node[] = noNodes;
  /** The last run that read it; 0 = none. */
  readBy = 0;
  /** Each once; never empty. Most have one, or few: a set of its own for each node is half of the memory of a large graph. */
  #readers: Node | Node[] | Set<Node> | undefined;
  /** What it holds without reading. */
  holds: ReadonlySet<Node> = emptySet;
  /** How many hold it. */
  holders = 0;
  /** Of what it read: all that may have changed since it was verified. */
  suspects: Set<Node> | undefined;

  constructor(source: Source<unknown>, key: string) {
    this.source = source;
    this.key = key;
  }

  get readers(): Iterable<Node> {
    const readers = this.#readers;
    return readers === undefined ? noNodes : readers instanceof Node ? [readers] : readers;
  }

  get hasReaders(): boolean {
    return this.#readers !== undefined;
  }

  addReader(reader: Node): void {
    const readers = this.#readers;
    if (readers === undefined) this.#readers = reader;
    else if (readers instanceof Node) {
      if (readers !== reader) this.#readers = [readers, reader];
    } else if (!Array.isArray(readers)) readers.add(reader);
    else if (!readers.includes(reader)) {
      // No push: it would make room for 16 more.
      this.#readers = readers.length < maxFew ? [...readers, reader] : new Set(readers).add(reader);
    }
  }

  removeReader(reader: Node): void {
    const readers = this.#readers;
    if (readers === undefined) return;
    if (readers instanceof Node) {
      if (readers === reader) this.#readers = undefined;
      return;
    }
    if (!Array.isArray(readers)) readers.delete(reader);
    else if (readers.includes(reader)) readers.splice(readers.indexOf(reader), 1);
    if ((Array.isArray(readers) ? readers.length : readers.size) === 0) this.#readers = undefined;
  }

  get isWanted(): boolean {
    return this.hasReaders || this.holders > 0;
  }
}
