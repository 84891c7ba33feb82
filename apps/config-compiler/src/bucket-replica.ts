import type { KeyValue, KeyValueEntry, KeyValueWatch } from "@fairlead/bus";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { readStored, type StoredEntry } from "./bucket-entry.ts";

/** Who is told what the replica hears once it knows the bucket. */
export interface BucketListener {
  heard(entry: KeyValueEntry): void;
  /** What the bucket holds is not known for a while: it was made anew, or could not be followed. */
  restarted(): void;
}

/** `stored` undefined: it is gone. */
type Known = { readonly stored: StoredEntry | undefined; readonly sequence: number };

/**
 * What the bucket holds, as digests by key, for as long as it follows it. A compiler that stands by has it at hand when it takes over.
 *
 * Writes of its own process may be told to it before the bucket does: of each key the later write counts, whoever tells of it.
 */
export class BucketReplica {
  readonly #bucket: KeyValue;
  readonly #known = new Map<string, Known>();
  #watch: KeyValueWatch;
  #isComplete = false;
  #sequence = 0;
  #listener: BucketListener | undefined;
  #waiting: (() => void)[] = [];

  constructor(bucket: KeyValue) {
    this.#bucket = bucket;
    this.#watch = this.#follow();
  }

  /** Of the bucket's last write that was heard of; undefined while it is not known what the bucket holds. */
  get sequence(): number | undefined {
    return this.#isComplete ? this.#sequence : undefined;
  }

  get keys(): string[] {
    return [...this.#known].flatMap(([key, { stored }]) => (stored === undefined ? [] : [key]));
  }

  /** The policies that the bucket's routes follow, by key. */
  get policiesInForce(): ReadonlyMap<string, PolicyObject> {
    const policies = [...this.#known.values()].flatMap(({ stored }) => stored?.policy ?? []);
    return new Map(policies.map((policy) => [policyKey(policy), policy]));
  }

  /** @returns undefined for a key that the bucket does not hold */
  digestOf(key: string): string | undefined {
    return this.#known.get(key)?.stored?.digest;
  }

  /** A write of this process was made. */
  wrote(key: string, entry: StoredEntry | undefined, sequence: number): void {
    if (sequence <= (this.#known.get(key)?.sequence ?? 0)) return;
    // Only these: an entry has its bytes, which nobody needs any more.
    const stored = entry && { digest: entry.digest, ...(entry.policy && { policy: entry.policy }) };
    this.#known.set(key, { stored, sequence });
  }

  /** One at a time. */
  listen(listener: BucketListener | undefined): void {
    this.#listener = listener;
  }

  /** Resolves when something was heard, or the signal is aborted. */
  async hears(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const heard = Promise.withResolvers<void>();
    this.#waiting.push(heard.resolve);
    signal.addEventListener("abort", () => heard.resolve(), { once: true });
    await heard.promise;
  }

  /** Reads the whole bucket again. */
  async renew(): Promise<void> {
    await this.#watch.stop();
    this.#forget();
    this.#watch = this.#follow();
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
  }

  #follow(): KeyValueWatch {
    return this.#bucket.watch({
      entry: (entry) => this.#take(entry),
      snapshotComplete: (sequence) => {
        this.#isComplete = true;
        this.#sequence = sequence;
        this.#wake();
      },
      restarted: () => {
        this.#forget();
        this.#listener?.restarted();
        this.#wake();
      },
    });
  }

  #forget(): void {
    this.#known.clear();
    this.#isComplete = false;
    this.#sequence = 0;
  }

  #take(entry: KeyValueEntry): void {
    const { key, value, sequence } = entry;
    this.#sequence = sequence;
    const before = this.#known.get(key)?.sequence ?? 0;
    if (value === undefined) {
      if (sequence >= before) this.#known.delete(key);
    } else if (sequence > before) {
      const stored = readStored(key, value);
      if (stored !== undefined) this.#known.set(key, { stored, sequence });
    }
    if (!this.#isComplete) return;
    this.#listener?.heard(entry);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
