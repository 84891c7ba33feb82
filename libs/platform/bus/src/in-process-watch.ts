import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { detached } from "@fairlead/telemetry";
import type { KeyValueEntry, KeyValueWatch, KeyValueWatcher } from "./key-value.ts";

/** A watcher this far behind gets a new snapshot in place of the writes it has not seen. */
const maxQueued = 10_000;
/** Entries given in one turn of the event loop. */
const batchSize = 256;
const restartPausesMs = [100, 400, 1500, 5000];

export interface InProcessWatchOptions {
  readonly watcher: KeyValueWatcher;
  /** The bucket's living entries, in order of sequence. */
  readonly entries: ReadonlyMap<string, KeyValueEntry>;
  /** Of the bucket's last write. */
  readonly sequence: () => number;
  readonly connected: () => boolean;
  readonly onFailure: (error: unknown) => void;
  readonly onStop: () => void;
}

/** Gives the events of one bucket to one watcher, in order, in turns of the event loop of its own. */
export class InProcessWatch implements KeyValueWatch {
  readonly #options: InProcessWatchOptions;
  readonly #ending = new AbortController();
  /** undefined: the snapshot has not been taken yet. What completes it stands behind its entries. */
  #queue: (KeyValueEntry | { readonly completeAt: number })[] | undefined;
  #begun = false;
  #failures = 0;
  #draining = false;

  constructor(options: InProcessWatchOptions) {
    this.#options = options;
  }

  push(entry: KeyValueEntry): void {
    if (this.#queue === undefined) return;
    this.#queue.push(entry);
    if (this.#queue.length > maxQueued + this.#options.entries.size) this.restart();
    this.wake();
  }

  /** Forgets where it was: the watcher gets a new snapshot. */
  restart(): void {
    this.#queue = undefined;
  }

  wake(): void {
    if (this.#draining) return;
    this.#draining = true;
    void detached(() => this.#drain());
  }

  async #drain(): Promise<void> {
    await nextTurn();
    while (!this.#ending.signal.aborted && this.#options.connected()) {
      try {
        if (this.#queue === undefined) this.#takeSnapshot();
        if (!this.#giveBatch()) break;
        await nextTurn();
      } catch (error) {
        this.#options.onFailure(error);
        this.restart();
        const pauseMs = restartPausesMs[Math.min(this.#failures++, restartPausesMs.length - 1)];
        await pause(pauseMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      }
    }
    this.#draining = false;
  }

  #takeSnapshot(): void {
    this.#queue = [...this.#options.entries.values(), { completeAt: this.#options.sequence() }];
    if (this.#begun) this.#options.watcher.restarted();
    this.#begun = true;
  }

  /** @returns false once there is nothing left */
  #giveBatch(): boolean {
    const batch = this.#queue?.splice(0, batchSize) ?? [];
    for (const event of batch) {
      if (this.#ending.signal.aborted) return false;
      if ("completeAt" in event) {
        this.#options.watcher.snapshotComplete(event.completeAt);
        this.#failures = 0;
      } else {
        this.#options.watcher.entry({ ...event, value: event.value?.slice() });
      }
    }
    return batch.length > 0;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#options.onStop();
  }
}
