import type { KeyValueWatch, KeyValueWatcher } from "@fairlead/bus";
import type { Logger } from "@fairlead/logging";
import type { JsMsg, StreamInfo } from "@nats-io/jetstream";
import { isTombstone, lastSequence, tombstoneKeptMs } from "./bucket-messages.ts";
import type { NatsLink } from "./nats-link.ts";
import type { NatsSession } from "./nats-session.ts";
import { StreamFollower } from "./stream-follower.ts";
import type { StreamPlan } from "./streams.ts";

/** Half of the time that a deletion is kept: a watch that heard nothing for longer could miss one. */
const resumableMs = tombstoneKeptMs / 2;

export interface NatsWatchOptions {
  readonly link: NatsLink;
  readonly plan: StreamPlan;
  readonly keyOf: (subject: string) => string;
  readonly watcher: KeyValueWatcher;
  readonly logger: Logger;
  readonly onStop: (watch: NatsWatch) => void;
}

/**
 * A bucket is a stream that keeps one message a subject: read from its beginning it gives each key's last value in order of
 * the writes, and goes on with the writes that follow. No second request could come between the two.
 */
export class NatsWatch implements KeyValueWatch {
  readonly #options: NatsWatchOptions;
  readonly #follower: StreamFollower;
  #last = 0;
  #heardAt = 0;
  /** When the stream was made; empty: begin with a snapshot. */
  #incarnation = "";
  #begun = false;
  /** The snapshot is complete with this sequence; undefined: it is. */
  #snapshotEnd: number | undefined;
  /** Of the bucket's last write when the snapshot began. Its message may be gone: a deletion that was swept. */
  #lastWrite = 0;

  constructor(options: NatsWatchOptions) {
    this.#options = options;
    this.#follower = new StreamFollower({
      link: options.link,
      plan: options.plan,
      filter: options.plan.subject,
      logger: options.logger,
      reader: {
        begin: (stream, session) => this.#begin(stream, session),
        inForce: (empty) => this.#guarded(() => this.#inForce(empty)),
        message: (message) => this.#guarded(() => this.#message(message)),
        alive: () => (this.#heardAt = Date.now()),
      },
    });
  }

  async #begin({ created, state }: StreamInfo, session: NatsSession): Promise<number> {
    const sameStream = this.#incarnation === created && this.#last <= state.last_seq;
    if (sameStream && Date.now() - this.#heardAt < resumableMs) return this.#last + 1;
    // Another one would be needed if what follows failed.
    this.#incarnation = "";
    const end = await lastSequence(session, this.#options.plan);
    if (this.#begun) this.#guarded(() => this.#options.watcher.restarted());
    this.#begun = true;
    this.#last = 0;
    this.#snapshotEnd = end;
    this.#lastWrite = Math.max(end, state.last_seq);
    this.#heardAt = Date.now();
    this.#incarnation = created;
    return 1;
  }

  #inForce(empty: boolean): void {
    if (empty) this.#completeSnapshot();
  }

  #message(message: JsMsg): void {
    this.#heardAt = Date.now();
    const deleted = isTombstone(message);
    const inSnapshot = this.#snapshotEnd !== undefined;
    if (!(deleted && inSnapshot)) {
      this.#options.watcher.entry({
        key: this.#options.keyOf(message.subject),
        value: deleted ? undefined : message.data.slice(),
        sequence: message.seq,
      });
    }
    this.#last = message.seq;
    if (this.#snapshotEnd !== undefined && (message.seq >= this.#snapshotEnd || message.info.pending === 0))
      this.#completeSnapshot();
  }

  #completeSnapshot(): void {
    if (this.#snapshotEnd === undefined) return;
    this.#snapshotEnd = undefined;
    this.#options.watcher.snapshotComplete(Math.max(this.#lastWrite, this.#last));
  }

  /** A watcher that throws has missed something: it gets a new snapshot. */
  #guarded(call: () => void): void {
    if (this.#follower.signal.aborted) return;
    try {
      call();
    } catch (error) {
      this.#incarnation = "";
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#options.onStop(this);
    await this.#follower.stop();
  }
}
