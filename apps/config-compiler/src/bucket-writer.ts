import { create, toBinary } from "@bufbuild/protobuf";
import type { RejectedCompile } from "@fairlead/compile";
import { FairleadError } from "@fairlead/errors";
import { ConfigPushedSchema } from "@fairlead/fairlead-api";
import { encodeHead, headKey, pack, rejectedKey } from "@fairlead/snapshot";
import { type BucketChange, type DigestedEntry, stampOf } from "./bucket-entry.ts";
import type { BucketReplica } from "./bucket-replica.ts";
import { rejectedMessage } from "./rejected-message.ts";
import type { SoleWriter } from "./sole-writer.ts";

export interface CommitResult {
  readonly changedKeys: readonly string[];
  readonly removedKeys: readonly string[];
  /** What the bus does not take because of its size, by all commits so far; what the bucket held of it before stays. */
  readonly heldBack: readonly RejectedCompile[];
}

/** What a commit is made as. */
export interface CommitOptions {
  readonly revision: number;
  /** W3C trace context of the change. */
  readonly traceparent: string | undefined;
  /** No further write is begun once it is aborted: another compiler may have taken over. */
  readonly aborted: AbortSignal;
  /** All that the compiler does not take. */
  readonly rejected: readonly RejectedCompile[];
}

export interface BucketWriterOptions {
  readonly writer: SoleWriter;
  /** Of the same bucket. */
  readonly replica: BucketReplica;
  readonly compilerId: string;
}

/** Writes under way at once: enough to hide the bus's round trip, few enough for its limits. */
const parallelWrites = 64;
/** Larger values are written alone, so that one that the bus does not take concerns no other. Below every sensible max_payload. */
const largeBytes = 16 * 1024;

/** Of what is rejected: a mesh with more is looked at one by one. */
const maxRejected = 500;
const maxReasonLength = 1000;

/** Makes the bucket hold what has changed, deletes what is gone, then writes `head`: for one term of its writer. */
export class BucketWriter {
  readonly #writer: SoleWriter;
  readonly #replica: BucketReplica;
  readonly #compilerId: string;
  /** By bucket key. */
  readonly #heldBack = new Map<string, readonly RejectedCompile[]>();
  /** What the bucket says of it, as far as this term has written it. */
  #rejected: Buffer | undefined;

  constructor({ writer, replica, compilerId }: BucketWriterOptions) {
    this.#writer = writer;
    this.#replica = replica;
    this.#compilerId = compilerId;
  }

  /** What the bucket holds already is not written again. @throws FairleadError FL_BUS_UNAVAILABLE, FL_BUS_CONFLICT */
  async commit(
    change: BucketChange,
    { revision, traceparent, aborted, rejected }: CommitOptions,
  ): Promise<CommitResult> {
    const changedKeys: string[] = [];
    const large: (readonly [DigestedEntry, Uint8Array])[] = [];
    const put = async (entry: DigestedEntry, value: Uint8Array) => {
      const sequence = await this.#writer.put(entry.key, value);
      this.#replica.wrote(entry.key, entry, sequence);
      changedKeys.push(entry.key);
    };
    for (const { key } of change.entries) this.#heldBack.delete(key);
    const changed = change.entries.filter(({ key, digest }) => this.#replica.digestOf(key) !== digest);
    const stamped = stampOf(revision);
    await inParallel(changed, aborted, async (entry) => {
      const value = pack(stamped(entry));
      if (value.byteLength > largeBytes) large.push([entry, value]);
      else await put(entry, value);
    });
    for (const [entry, value] of large) {
      aborted.throwIfAborted();
      try {
        await put(entry, value);
      } catch (caught) {
        const { code, message } = FairleadError.from(caught);
        if (code !== "FL_BUS_MESSAGE_TOO_LARGE" || this.#writer.lost.aborted) throw caught;
        this.#heldBack.set(entry.key, rejectionsOf(entry, code, message));
      }
    }
    const removedKeys = change.removedKeys.filter((key) => this.#replica.digestOf(key) !== undefined);
    await inParallel(removedKeys, aborted, async (key) => {
      this.#replica.wrote(key, undefined, await this.#writer.delete(key));
    });
    for (const key of change.removedKeys) this.#heldBack.delete(key);
    const heldBack = [...this.#heldBack.values()].flat();
    aborted.throwIfAborted();
    await this.#tellRejected([...rejected, ...heldBack], revision);
    aborted.throwIfAborted();
    const head = { revision, traceparent, compiledAtMs: Date.now(), compilerId: this.#compilerId };
    await this.#writer.put(headKey, encodeHead(head));
    return { changedKeys, removedKeys, heldBack };
  }

  /** Before the commit: who has read `head` finds what is rejected at it. */
  async #tellRejected(all: readonly RejectedCompile[], revision: number): Promise<void> {
    const rejected = all
      .slice(0, maxRejected)
      .map((one) => rejectedMessage({ ...one, message: one.message.slice(0, maxReasonLength) }));
    const content = Buffer.from(toBinary(ConfigPushedSchema, create(ConfigPushedSchema, { rejected })));
    if (this.#rejected?.equals(content) === true) return;
    const message = create(ConfigPushedSchema, { rejected, revision: BigInt(revision) });
    await this.#writer.put(rejectedKey, pack(toBinary(ConfigPushedSchema, message)));
    this.#rejected = content;
  }
}

/** One for each policy that it was made of: they are what an operator can change. Without any, of all that it was made of the first. */
function rejectionsOf({ provenance }: DigestedEntry, code: string, message: string): RejectedCompile[] {
  const policies = provenance.filter(({ kind }) => kind === "policy");
  const blamed = policies.length > 0 ? policies : provenance.slice(0, 1);
  return blamed.map((object) => ({ provenance: object, code, message }));
}

/** The next one begins as one ends: no write waits for the slowest of others. None begins once one has failed. */
async function inParallel<Item>(
  items: readonly Item[],
  aborted: AbortSignal,
  write: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  let hasFailed = false;
  const writeOnes = async () => {
    for (const item of left) {
      if (hasFailed) return;
      aborted.throwIfAborted();
      try {
        await write(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallelWrites, items.length) }, writeOnes));
}
