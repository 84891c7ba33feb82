import { type Bus, buckets, type KeyValueWatch } from "@fairlead/bus";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { SnapshotReplica } from "@fairlead/snapshot";
import "../errors.ts";

export interface LiveConfigOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  /** For the first commit to arrive. @default 5000 */
  readonly timeoutMs?: number;
  /** Without a question for this long it is let go. @default 60 s */
  readonly idleMs?: number;
}

interface Following {
  readonly replica: SnapshotReplica;
  readonly synced: Promise<void>;
  readonly watch: Promise<KeyValueWatch>;
}

/** What gateways serve now: followed from the first question on, as a gateway does, and let go when nobody asks any more. */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  #following: Following | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: LiveConfigOptions) {
    this.#options = options;
  }

  /** Read it within one turn of the event loop. @throws FairleadError FL_CONFIG_NOT_KNOWN while there is none, or the bus is away */
  async replica(): Promise<SnapshotReplica> {
    const { timeoutMs = 5000, idleMs = 60_000 } = this.#options;
    const { replica, synced } = (this.#following ??= this.#follow());
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.stop(), idleMs).unref();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new FairleadError("FL_CONFIG_NOT_KNOWN", `no compiled configuration came within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      await Promise.race([synced, late]);
    } finally {
      clearTimeout(timer);
    }
    return replica;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#idle);
    const following = this.#following;
    this.#following = undefined;
    await following?.watch.then(
      (watch) => watch.stop(),
      () => undefined,
    );
  }

  #follow(): Following {
    const { bus, logger } = this.#options;
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const replica = new SnapshotReplica({
      onCommit: () => resolve(),
      onSkipped: (key, reason) => logger.warn({ key, err: reason }, "an entry of the bucket cannot be read"),
    });
    const watch = bus.keyValue(buckets.xds).then((bucket) => bucket.watch(replica));
    // The next question tries again.
    watch.catch(() => (this.#following = undefined));
    return { replica, synced, watch };
  }
}
