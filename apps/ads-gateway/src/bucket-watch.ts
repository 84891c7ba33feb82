import { setTimeout as pause } from "node:timers/promises";
import { type Bus, buckets, type KeyValueWatch, type KeyValueWatcher } from "@fairlead/bus";
import type { Logger } from "@fairlead/logging";

const pausesMs = [100, 250, 500, 1000, 2000];

/** Watches the bucket of compiled resources; a bus that is away at the start is tried until it is there. */
export class BucketWatch {
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #ending = new AbortController();
  #opening: Promise<void> | undefined;
  #watch: KeyValueWatch | undefined;

  constructor(bus: Bus, logger: Logger) {
    this.#bus = bus;
    this.#logger = logger;
  }

  start(watcher: KeyValueWatcher): void {
    this.#opening = this.#open(watcher);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#opening;
    await this.#watch?.stop();
  }

  async #open(watcher: KeyValueWatcher): Promise<void> {
    for (let attempt = 0; !this.#ending.signal.aborted; attempt++) {
      try {
        const bucket = await this.#bus.keyValue(buckets.xds);
        this.#watch = bucket.watch(watcher);
        return;
      } catch (err) {
        if (attempt === 0) this.#logger.warn({ err, bucket: buckets.xds }, "bucket cannot be opened; trying again");
        const pauseMs = pausesMs[Math.min(attempt, pausesMs.length - 1)];
        await pause(pauseMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      }
    }
  }
}
