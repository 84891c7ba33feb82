import type { KeyValue } from "@fairlead/bus";
import type { CompiledMesh, MeshDifference } from "@fairlead/compile";
import { type PolicyObject, policyKey } from "@fairlead/model";
import { encodeHead, headKey, pack } from "@fairlead/snapshot";
import { type BucketChange, changeOfDifference, digestOf, entriesOfMesh, readStored } from "./bucket-entry.ts";
import { SoleWriter } from "./sole-writer.ts";

export interface CommitResult {
  readonly changedKeys: readonly string[];
  readonly removedKeys: readonly string[];
}

/** What a commit is made as. */
export interface CommitOptions {
  readonly revision: number;
  /** W3C trace context of the change. */
  readonly traceparent: string | undefined;
  /** No further write is begun once it is aborted: another compiler may have taken over. */
  readonly aborted: AbortSignal;
}

/** Writes under way at once: enough to hide the bus's round trip, few enough for its limits. */
const parallelWrites = 64;

/**
 * Keeps the bucket `fairlead_xds` equal to what was compiled: writes what differs, deletes what is gone, then `head`.
 *
 * It reads at its start what is there, so that a restart writes only what differs; after that a commit costs what has changed. A writer that
 * is `lost` is of no more use: a new one begins with what is there then.
 */
export class BucketWriter {
  readonly #writer: SoleWriter;
  readonly #compilerId: string;
  /** Of what the bucket holds, by key. */
  readonly #digests = new Map<string, string>();
  readonly #policiesInForce = new Map<string, PolicyObject>();

  constructor(bucket: KeyValue, compilerId: string) {
    this.#compilerId = compilerId;
    this.#writer = new SoleWriter(bucket, {
      entry: (key, value) => {
        const stored = readStored(key, value);
        if (stored === undefined) return;
        this.#digests.set(key, stored.digest);
        if (stored.policy !== undefined) this.#policiesInForce.set(policyKey(stored.policy), stored.policy);
      },
      restarted: () => {
        this.#digests.clear();
        this.#policiesInForce.clear();
      },
    });
  }

  /** Resolves once what the bucket holds is known. */
  get loaded(): Promise<void> {
    return this.#writer.loaded;
  }

  /** Aborted once what the bucket holds is not known any more: somebody else has written, or a write has failed. */
  get lost(): AbortSignal {
    return this.#writer.lost;
  }

  /** The policies that the bucket's routes followed at the start, by key: what a compiler that has just started may fall back on. */
  get policiesInForce(): ReadonlyMap<string, PolicyObject> {
    return this.#policiesInForce;
  }

  /**
   * Makes the bucket hold `mesh`, and nothing else.
   *
   * @throws FairleadError FL_BUS_UNAVAILABLE, FL_BUS_CONFLICT, FL_BUS_MESSAGE_TOO_LARGE
   */
  async commitAll(mesh: CompiledMesh, options: CommitOptions): Promise<CommitResult> {
    const entries = entriesOfMesh(mesh);
    const keys = new Set(entries.map(({ key }) => key));
    return await this.#commit(
      { entries, removedKeys: [...this.#digests.keys()].filter((key) => !keys.has(key)) },
      options,
    );
  }

  /** Makes the bucket hold what has changed since the last commit. @throws as `commitAll` */
  async commit(difference: MeshDifference, options: CommitOptions): Promise<CommitResult> {
    return await this.#commit(changeOfDifference(difference), options);
  }

  async stop(): Promise<void> {
    await this.#writer.stop();
  }

  async #commit(change: BucketChange, { revision, traceparent, aborted }: CommitOptions): Promise<CommitResult> {
    const changed = change.entries
      .map((entry) => ({ entry, digest: digestOf(entry) }))
      .filter(({ entry, digest }) => this.#digests.get(entry.key) !== digest);
    const removedKeys = change.removedKeys.filter((key) => this.#digests.has(key));
    await inParallel(changed, aborted, async ({ entry, digest }) => {
      await this.#writer.put(entry.key, pack(entry.encode(revision)));
      this.#digests.set(entry.key, digest);
    });
    await inParallel(removedKeys, aborted, async (key) => {
      await this.#writer.delete(key);
      this.#digests.delete(key);
    });
    aborted.throwIfAborted();
    const head = { revision, traceparent, compiledAtMs: Date.now(), compilerId: this.#compilerId };
    await this.#writer.put(headKey, encodeHead(head));
    return { changedKeys: changed.map(({ entry }) => entry.key), removedKeys };
  }
}

async function inParallel<Item>(
  items: readonly Item[],
  aborted: AbortSignal,
  write: (item: Item) => Promise<void>,
): Promise<void> {
  for (let index = 0; index < items.length; index += parallelWrites) {
    aborted.throwIfAborted();
    await Promise.all(items.slice(index, index + parallelWrites).map(write));
  }
}
