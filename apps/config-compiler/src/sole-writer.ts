import type { KeyValue, KeyValueEntry, KeyValueWatch } from "@fairlead/bus";
import { FairleadError } from "@fairlead/errors";

export interface StoredEntries {
  /** One value of what the bucket holds. */
  entry(key: string, value: Uint8Array): void;
  /** All over again: what was told so far does not count. */
  restarted(): void;
}

/**
 * Writes into a bucket for as long as nobody else does.
 *
 * Each write is taken only as the next one after the write before it. So a compiler that was stopped in the middle of a commit and
 * goes on after another has taken over writes nothing any more, whatever it still believes; and one that takes over while a write of
 * its predecessor is still on its way sees that write before it can make one of its own.
 */
export class SoleWriter {
  readonly #bucket: KeyValue;
  readonly #watch: KeyValueWatch;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #lost = new AbortController();
  #isLoaded = false;
  /** Of the last write that was begun; those of before have smaller ones. */
  #sequence = 0;
  /** Keys by the sequence that their writes get, until the watch has told of them. */
  readonly #written = new Map<number, string>();

  /** @param stored is told what the bucket holds, until `loaded` */
  constructor(bucket: KeyValue, stored: StoredEntries) {
    this.#bucket = bucket;
    this.#watch = bucket.watch({
      entry: (entry) => {
        if (this.#isLoaded) this.#expectOwn(entry);
        else if (entry.value !== undefined) stored.entry(entry.key, entry.value);
      },
      snapshotComplete: (sequence) => {
        if (this.#isLoaded) return;
        this.#sequence = sequence;
        this.#isLoaded = true;
        this.#loaded.resolve();
      },
      restarted: () => {
        if (this.#isLoaded) this.#lose(conflict("the bucket was made anew, or could not be followed"));
        else stored.restarted();
      },
    });
  }

  /** Resolves once what the bucket holds was told. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  /** Aborted once somebody else has written, or a write of its own has failed: what the bucket holds is not known any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Writes may be under way at once; they are made in the order of the calls. @throws FairleadError FL_BUS_CONFLICT, FL_BUS_UNAVAILABLE, FL_BUS_MESSAGE_TOO_LARGE */
  async put(key: string, value: Uint8Array): Promise<void> {
    await this.#write(key, async (after) => await this.#bucket.put(key, value, { after }));
  }

  async delete(key: string): Promise<void> {
    await this.#write(key, async (after) => await this.#bucket.delete(key, { after }));
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
  }

  async #write(key: string, write: (after: number) => Promise<number>): Promise<void> {
    this.#lost.signal.throwIfAborted();
    const after = this.#sequence;
    const own = after + 1;
    this.#sequence = own;
    this.#written.set(own, key);
    try {
      const sequence = await write(after);
      if (sequence !== own) throw conflict(`the write of ${key} is number ${sequence}, and was to be ${own}`);
    } catch (caught) {
      this.#lose(FairleadError.from(caught));
      throw caught;
    }
  }

  #expectOwn({ key, sequence }: KeyValueEntry): void {
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
