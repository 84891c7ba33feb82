import type { Source } from "./source.ts";

// Most nodes read little and hold nothing.
const noNodes: readonly Node[] = [];
const emptySet: ReadonlySet<Node> = new Set();

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
  readonly readers = new Set<Node>();
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

  get isWanted(): boolean {
    return this.readers.size > 0 || this.holders > 0;
  }
}
