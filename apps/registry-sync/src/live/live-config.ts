import { type Bus, buckets, type KeyValueWatch, type KeyValueWatcher } from "@fairlead/bus";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { isPolicyBucketKey, SnapshotReplica } from "@fairlead/snapshot";
import { keyOfPolicyEntry, policyInForce } from "./policy-in-force.ts";
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
  readonly policies: Map<string, PolicyObject>;
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
  async replica(withinMs?: number): Promise<SnapshotReplica> {
    const { idleMs = 60_000 } = this.#options;
    const timeoutMs = withinMs ?? this.#options.timeoutMs ?? 5000;
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

  /** The policies that the compiler goes by, by key: of one that it rejects the text that it took last. @throws as `replica` */
  async policiesInForce(withinMs?: number): Promise<ReadonlyMap<string, PolicyObject>> {
    await this.replica(withinMs);
    return this.#following?.policies ?? new Map<string, PolicyObject>();
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
    const policies = new Map<string, PolicyObject>();
    const watcher: KeyValueWatcher = {
      entry({ key, value }) {
        if (!isPolicyBucketKey(key)) return replica.entry({ key, value });
        const policy = value === undefined ? undefined : policyInForce(value);
        if (policy === undefined) policies.delete(keyOfPolicyEntry(key));
        else policies.set(policyKey(policy), policy);
      },
      snapshotComplete: () => replica.snapshotComplete(),
      restarted() {
        policies.clear();
        replica.restarted();
      },
    };
    const watch = bus.keyValue(buckets.xds).then((bucket) => bucket.watch(watcher));
    // The next question tries again.
    watch.catch(() => (this.#following = undefined));
    return { replica, policies, synced, watch };
  }
}
