import { conflict } from "./bus-error.ts";
import type { KeyValue, KeyValueEntry, KeyValueWatch, KeyValueWatcher, WriteOptions } from "./key-value.ts";
import { InProcessWatch } from "./in-process-watch.ts";
import { checkKey, checkSize } from "./limits.ts";

export interface InProcessBucketOptions {
  readonly maxBytes: number;
  readonly connected: () => boolean;
  /** @throws FairleadError FL_BUS_CLOSED */
  readonly requireOpen: () => void;
  /** @throws FairleadError FL_BUS_UNAVAILABLE or FL_BUS_CLOSED */
  readonly requireConnection: () => void;
  /** A watcher threw. */
  readonly onFailure: (error: unknown) => void;
}

/** History of one: the last value of each key, in the order of the writes. */
export class InProcessBucket implements KeyValue {
  readonly #options: InProcessBucketOptions;
  readonly #entries = new Map<string, KeyValueEntry>();
  readonly #watches = new Set<InProcessWatch>();
  #sequence = 0;

  constructor(options: InProcessBucketOptions) {
    this.#options = options;
  }

  async put(key: string, value: Uint8Array, options: WriteOptions = {}): Promise<number> {
    checkKey(key);
    checkSize(`the value of ${key}`, value, this.#options.maxBytes);
    this.#options.requireConnection();
    this.#requireLast(key, options);
    return this.#write(key, value.slice());
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    checkKey(key);
    this.#options.requireConnection();
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : { ...entry, value: entry.value?.slice() };
  }

  async delete(key: string, options: WriteOptions = {}): Promise<number> {
    checkKey(key);
    this.#options.requireConnection();
    this.#requireLast(key, options);
    if (this.#entries.has(key)) this.#write(key, undefined);
    return this.#sequence;
  }

  #requireLast(key: string, { after }: WriteOptions): void {
    if (after !== undefined && after !== this.#sequence) throw conflict(key, after);
  }

  #write(key: string, value: Uint8Array | undefined): number {
    const entry: KeyValueEntry = { key, value, sequence: ++this.#sequence };
    // Deleted first, so that the map's own order is that of the sequence.
    this.#entries.delete(key);
    if (value !== undefined) this.#entries.set(key, entry);
    for (const watch of this.#watches) watch.push(entry);
    return entry.sequence;
  }

  watch(watcher: KeyValueWatcher): KeyValueWatch {
    this.#options.requireOpen();
    const watch = new InProcessWatch({
      watcher,
      entries: this.#entries,
      sequence: () => this.#sequence,
      connected: this.#options.connected,
      onFailure: this.#options.onFailure,
      onStop: () => this.#watches.delete(watch),
    });
    this.#watches.add(watch);
    watch.wake();
    return watch;
  }

  /** The connection is back. */
  reconnected(loseWatches: boolean): void {
    for (const watch of this.#watches) {
      if (loseWatches) watch.restart();
      watch.wake();
    }
  }

  close(): void {
    for (const watch of this.#watches) void watch.stop();
  }
}
