import type { KeyValue, KeyValueEntry, KeyValueWatch, KeyValueWatcher, WriteOptions } from "@fairlead/bus";
import { busError, checkKey, checkSize, conflict } from "@fairlead/bus/adapter";
import type { Logger } from "@fairlead/logging";
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import { expectLast, isConflict, isDeletion, isNotFound, tombstoneHeaders } from "./bucket-messages.ts";
import type { NatsLink } from "./nats-link.ts";
import type { NatsSession } from "./nats-session.ts";
import { NatsWatch } from "./nats-watch.ts";
import { bucketStream, type StreamPlan } from "./streams.ts";
import { TombstoneSweep } from "./tombstone-sweep.ts";

export interface NatsBucketOptions {
  readonly link: NatsLink;
  readonly bucket: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly logger: Logger;
}

/** A key-value bucket of JetStream, in the format of NATS's own clients and of `nats kv`. */
export class NatsBucket implements KeyValue {
  readonly #options: NatsBucketOptions;
  readonly #plan: StreamPlan;
  readonly #prefix: string;
  readonly #watches = new Set<NatsWatch>();
  readonly #sweep: TombstoneSweep;

  constructor(options: NatsBucketOptions) {
    this.#options = options;
    this.#plan = bucketStream(options.bucket);
    this.#prefix = `$KV.${options.bucket}.`;
    this.#sweep = new TombstoneSweep(this.#plan, options.logger);
  }

  async put(key: string, value: Uint8Array, options: WriteOptions = {}): Promise<number> {
    checkKey(key);
    const what = `the value of ${key}`;
    checkSize(what, value, this.#options.maxBytes);
    // Copied: the caller may use its buffer again while an attempt is repeated.
    const data = value.slice();
    return await this.#within(`put ${key} into ${this.#options.bucket}`, async (session) => {
      checkSize(what, data, session.maxBytes);
      return await this.#append(session, key, data, headers(), options);
    });
  }

  async get(key: string): Promise<KeyValueEntry | undefined> {
    checkKey(key);
    return await this.#within(`get ${key} of ${this.#options.bucket}`, async (session) => {
      await session.known(this.#plan);
      try {
        const found = await session.manager.streams.getMessage(this.#plan.name, { last_by_subj: this.#prefix + key });
        if (found === null || isDeletion(found.header)) return undefined;
        return { key, value: found.data.slice(), sequence: found.seq };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        session.forget(this.#plan);
        throw error;
      }
    });
  }

  async delete(key: string, options: WriteOptions = {}): Promise<number> {
    checkKey(key);
    return await this.#within(`delete ${key} of ${this.#options.bucket}`, async (session) => {
      const sequence = await this.#append(session, key, new Uint8Array(), tombstoneHeaders(), options);
      this.#sweep.maybeStart(session);
      return sequence;
    });
  }

  async #append(
    session: NatsSession,
    key: string,
    data: Uint8Array,
    written: MsgHdrs,
    { after }: WriteOptions,
  ): Promise<number> {
    if (after !== undefined) expectLast(written, after);
    try {
      return await session.append(this.#plan, this.#prefix + key, data, written);
    } catch (error) {
      // Also where an attempt is repeated that was made after all: the writer cannot know, and reads anew.
      if (isConflict(error)) throw conflict(key, after ?? 0);
      throw error;
    }
  }

  watch(watcher: KeyValueWatcher): KeyValueWatch {
    if (this.#options.link.state === "closed")
      throw busError("FL_BUS_CLOSED", `cannot watch ${this.#options.bucket}: the bus is closed`);
    const watch = new NatsWatch({
      link: this.#options.link,
      plan: this.#plan,
      keyOf: (subject) => subject.slice(this.#prefix.length),
      watcher,
      logger: this.#options.logger,
      onStop: (stopped) => this.#watches.delete(stopped),
    });
    this.#watches.add(watch);
    return watch;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.stop()));
    await this.#sweep.stop();
  }

  async #within<T>(what: string, work: (session: NatsSession) => Promise<T>): Promise<T> {
    return await this.#options.link.within(what, this.#options.timeoutMs, work);
  }
}
