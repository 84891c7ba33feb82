import { setTimeout as pause } from "node:timers/promises";
import { settledWithin } from "@fairlead/bus/adapter";
import type { Logger } from "@fairlead/logging";
import { detached } from "@fairlead/telemetry";
import type { ConsumerMessages, JsMsg, StreamInfo } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { NatsLink } from "./nats-link.ts";
import type { NatsSession } from "./nats-session.ts";
import type { StreamPlan } from "./streams.ts";

/** Messages asked for at a time: a request for each few costs more than small values do. */
const batchSize = 100;
/** Where the stream is larger than `fewBytes`. */
const fewAtATime = 32;
/**
 * What is asked for waits in the server until it is read, and nats-server ends a connection for which 64 MB wait (`max_pending`), with the
 * writes that are under way on it: 100 values of a megabyte are more.
 */
const fewBytes = 32 * 1024 * 1024;
const heartbeatMs = 1000;
const longestPauseMs = 5000;

/** Reads a stream for a follower: says from where, and takes the messages. */
export interface StreamReader {
  /**
   * Reading begins, for the first time or again.
   * @returns the first sequence wanted
   */
  begin(stream: StreamInfo, session: NatsSession): Promise<number>;
  /** From now on nothing is missed. `empty`: there is nothing to read yet. */
  inForce(empty: boolean): void;
  /** One after another; the next waits. What it throws ends this reading, and another one begins. */
  message(message: JsMsg): void | Promise<void>;
  /** The server has said that it is there and has nothing new. */
  alive(): void;
}

export interface StreamFollowerOptions {
  readonly link: NatsLink;
  readonly plan: StreamPlan;
  /** Which of the stream's subjects. */
  readonly filter: string;
  readonly reader: StreamReader;
  readonly logger: Logger;
}

/** Keeps an ordered consumer on a stream over lost connections, restarts of the server and lost streams. */
export class StreamFollower {
  readonly #options: StreamFollowerOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #messages: ConsumerMessages | undefined;

  constructor(options: StreamFollowerOptions) {
    this.#options = options;
    this.#running = detached(() => this.#run());
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    void this.#messages?.close();
    await settledWithin(this.#running, 2000);
  }

  async #run(): Promise<void> {
    const { link, plan, logger } = this.#options;
    const { signal } = this.#ending;
    let failures = 0;
    while (!signal.aborted) {
      const session = await link.session(signal);
      if (session === undefined) return;
      const begun = Date.now();
      let failure: unknown;
      try {
        await this.#read(session);
      } catch (error) {
        failure = error;
      }
      if (signal.aborted) return;
      if (session.connection.isClosed()) continue;
      failures = Date.now() - begun > 10_000 ? 0 : failures + 1;
      const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failures);
      logger.warn({ stream: plan.name, pauseMs, err: failure }, "reading from NATS broke off; it begins again");
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #read(session: NatsSession): Promise<void> {
    const { plan, filter, reader } = this.#options;
    const stream = await session.stream(plan);
    const start = await reader.begin(stream, session);
    const consumer = await session.consumers.get(plan.name, {
      filter_subjects: filter,
      opt_start_seq: start,
      inactive_threshold: nanos(60_000),
    });
    const messages = await consumer.consume({
      max_messages: stream.state.bytes > fewBytes ? fewAtATime : batchSize,
      expires: 10_000,
      idle_heartbeat: heartbeatMs,
      abort_on_missing_resource: true,
    });
    this.#messages = messages;
    const heartbeats = this.#noteHeartbeats(messages);
    try {
      const { num_pending: pending } = await consumer.info(true);
      reader.inForce(pending === 0);
      let last = start - 1;
      for await (const message of messages) {
        if (this.#ending.signal.aborted) break;
        if (message.seq <= last) throw new Error(`sequence ${message.seq} came after ${last}`);
        last = message.seq;
        await reader.message(message);
      }
    } finally {
      this.#messages = undefined;
      await messages.close();
      await heartbeats;
      if (!session.connection.isClosed()) await consumer.delete().catch(() => undefined);
    }
  }

  async #noteHeartbeats(messages: ConsumerMessages): Promise<void> {
    for await (const status of messages.status()) if (status.type === "heartbeat") this.#options.reader.alive();
  }
}
