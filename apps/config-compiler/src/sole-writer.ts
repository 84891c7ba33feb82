import type { KeyValue, KeyValueEntry } from "@fairlead/bus";
import { FairleadError } from "@fairlead/errors";
import type { BucketReplica } from "./bucket-replica.ts";

/** Says who writes. It is for compilers alone; gateways skip keys that they do not know. */
export const claimKey = "writer";

/** How long a claim waits for the write that came before it to be heard of. */
const maxSilenceMs = 2000;

/**
 * Writes into a bucket for as long as nobody else does.
 *
 * Each write is taken only as the next one after the write before it. The first is the claim: it is taken only where the replica has heard
 * of all that was written, so what the bucket holds is known from then on, also when it holds nothing. A compiler that was stopped in
 * the middle of a commit and goes on after another has made its claim commits nothing any more, whatever it still believes. Of the writes that
 * it had under way one may still be taken, where it would have been the next one behind another's: the other one notices, as its own next
 * write is refused, and claims again; a head stands only behind writes of one writer without a gap.
 */
export class SoleWriter {
  readonly #bucket: KeyValue;
  readonly #lost = new AbortController();
  /** Of the claim. */
  readonly #claimed: number;
  /** Of the last write that was begun; those of before have smaller ones. */
  #sequence: number;
  /** Keys by the sequence that their writes get, until the replica has heard of them. */
  readonly #written = new Map<number, string>();

  private constructor(bucket: KeyValue, claimed: number) {
    this.#bucket = bucket;
    this.#claimed = claimed;
    this.#sequence = claimed;
  }

  /**
   * @param replica of the bucket; listens to it from now on
   * @param aborted gives up waiting
   * @throws FairleadError FL_BUS_CONFLICT when the bucket has writes that are not heard of; the replica then begins anew; FL_BUS_UNAVAILABLE
   */
  static async claim(bucket: KeyValue, replica: BucketReplica, by: string, aborted: AbortSignal): Promise<SoleWriter> {
    for (;;) {
      while (replica.sequence === undefined && !aborted.aborted) await replica.hears(aborted);
      aborted.throwIfAborted();
      const after = replica.sequence!;
      try {
        const writer = new SoleWriter(bucket, await bucket.put(claimKey, Buffer.from(by), { after }));
        replica.listen({
          heard: (entry) => writer.#expectOwn(entry),
          restarted: () => writer.#lose(conflict("the bucket was made anew, or could not be followed")),
        });
        return writer;
      } catch (caught) {
        if (FairleadError.from(caught).code !== "FL_BUS_CONFLICT") throw caught;
        const enough = AbortSignal.any([aborted, AbortSignal.timeout(maxSilenceMs)]);
        while (replica.sequence === after && !enough.aborted) await replica.hears(enough);
        if (replica.sequence !== after) continue;
        await replica.renew();
        throw caught;
      }
    }
  }

  /** Aborted once somebody else has written, or a write of its own has failed: it writes nothing more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Writes may be under way at once; they are made in the order of the calls.
   *
   * @returns the write's sequence
   * @throws FairleadError FL_BUS_CONFLICT, FL_BUS_UNAVAILABLE; FL_BUS_MESSAGE_TOO_LARGE: nothing was sent, and if no other write was begun
   * meanwhile it goes on as if this one had not been
   */
  async put(key: string, value: Uint8Array): Promise<number> {
    return await this.#write(key, async (after) => await this.#bucket.put(key, value, { after }));
  }

  /** @returns as `put` @throws as `put` */
  async delete(key: string): Promise<number> {
    return await this.#write(key, async (after) => await this.#bucket.delete(key, { after }));
  }

  async #write(key: string, write: (after: number) => Promise<number>): Promise<number> {
    this.#lost.signal.throwIfAborted();
    const after = this.#sequence;
    const own = after + 1;
    this.#sequence = own;
    this.#written.set(own, key);
    try {
      const sequence = await write(after);
      if (sequence !== own) throw conflict(`the write of ${key} is number ${sequence}, and was to be ${own}`);
      return sequence;
    } catch (caught) {
      const error = FairleadError.from(caught);
      if (error.code === "FL_BUS_MESSAGE_TOO_LARGE" && this.#sequence === own) {
        this.#sequence = after;
        this.#written.delete(own);
      } else this.#lose(error);
      throw caught;
    }
  }

  #expectOwn({ key, sequence }: KeyValueEntry): void {
    if (sequence <= this.#claimed) return;
    const own = this.#written.get(sequence) === key;
    this.#written.delete(sequence);
    if (!own) this.#lose(conflict(`somebody else has written ${key}`));
  }

  #lose(reason: FairleadError): void {
    this.#lost.abort(reason);
  }
}

function conflict(what: string): FairleadError {
  return new FairleadError("FL_BUS_CONFLICT", `${what}; reading the bucket anew`);
}
