import type { Logger } from "@fairlead/logging";
import { currentTraceparent } from "@fairlead/telemetry";
import type { Bus, BusMessage, BusSubscription, ConnectionState, SubscribeOptions } from "./bus.ts";
import { busError } from "./bus-error.ts";
import { InProcessBucket } from "./in-process-bucket.ts";
import { InProcessSubscription } from "./in-process-subscription.ts";
import type { KeyValue } from "./key-value.ts";
import { checkBucket, checkSize, checkSubject, defaultMaxBytes } from "./limits.ts";
import { notifyState } from "./notify-state.ts";
import { defaultRedeliveryPausesMs } from "./redelivery.ts";
import { SubjectLog } from "./subject-log.ts";

export interface InProcessBusOptions {
  /** Gets a line for handlers and watchers that throw. @default none */
  readonly logger?: Logger;
  /** Largest message or value in bytes. @default 8 MiB */
  readonly maxBytes?: number;
  /** Milliseconds before each further call of a handler that threw. @default [100, 400, 1500, 5000, 5000] */
  readonly redeliveryPausesMs?: readonly number[];
}

/**
 * The bus within one process: one object that all its modules share. Nothing is kept after the process.
 *
 * Data is copied on the way in and out; handlers and watchers run in later turns of the event loop. A subject retains
 * its last 1000 messages or 16 MiB.
 */
export class InProcessBus implements Bus {
  readonly #options: Required<Omit<InProcessBusOptions, "logger">> & { readonly logger: Logger | undefined };
  readonly #logs = new Map<string, SubjectLog>();
  readonly #buckets = new Map<string, InProcessBucket>();
  readonly #subscriptions = new Map<InProcessSubscription, string>();
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  #state: ConnectionState = "connected";

  constructor(options: InProcessBusOptions = {}) {
    this.#options = {
      logger: options.logger,
      maxBytes: options.maxBytes ?? defaultMaxBytes,
      redeliveryPausesMs: options.redeliveryPausesMs ?? defaultRedeliveryPausesMs,
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  async publish(message: BusMessage): Promise<void> {
    checkSubject(message.subject);
    checkSize(`the message on ${message.subject}`, message.data, this.#options.maxBytes);
    this.#requireConnection(`publish on ${message.subject}`);
    this.#log(message.subject).append({ ...message, traceparent: message.traceparent ?? currentTraceparent() });
    for (const [subscription, subject] of this.#subscriptions) if (subject === message.subject) subscription.wake();
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): BusSubscription {
    checkSubject(subject);
    this.#requireOpen(`subscribe to ${subject}`);
    const log = this.#log(subject);
    const subscription = new InProcessSubscription({
      log,
      handler,
      redelivery: { pausesMs: this.#options.redeliveryPausesMs, logger: this.#options.logger },
      from: options.deliver === "all" ? 0 : log.end,
      connected: () => this.#state === "connected",
      onStop: (stopped) => this.#subscriptions.delete(stopped),
    });
    this.#subscriptions.set(subscription, subject);
    subscription.wake();
    return subscription;
  }

  async keyValue(bucket: string): Promise<KeyValue> {
    checkBucket(bucket);
    this.#requireOpen(`open the bucket ${bucket}`);
    let opened = this.#buckets.get(bucket);
    if (opened === undefined) {
      opened = new InProcessBucket({
        maxBytes: this.#options.maxBytes,
        connected: () => this.#state === "connected",
        requireOpen: () => this.#requireOpen(`watch the bucket ${bucket}`),
        requireConnection: () => this.#requireConnection(`use the bucket ${bucket}`),
        onFailure: (err) =>
          this.#options.logger?.error({ bucket, err }, "bucket watcher failed; its watch starts again"),
      });
      this.#buckets.set(bucket, opened);
    }
    return opened;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#become("closed");
    for (const bucket of this.#buckets.values()) bucket.close();
    await Promise.all([...this.#subscriptions.keys()].map((subscription) => subscription.stop()));
    this.#listeners.clear();
  }

  /** For tests: as if the server had gone away. Nothing is delivered, and what needs the server is refused. */
  simulateDisconnect(): void {
    if (this.#state === "connected") this.#become("disconnected");
  }

  /** For tests: the server is back. With `loseWatches` it does not know the watches any more: they start again. */
  simulateReconnect({ loseWatches = false }: { readonly loseWatches?: boolean } = {}): void {
    if (this.#state !== "disconnected") return;
    this.#become("connected");
    for (const bucket of this.#buckets.values()) bucket.reconnected(loseWatches);
    for (const subscription of this.#subscriptions.keys()) subscription.wake();
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    notifyState(this.#listeners, state, this.#options.logger);
  }

  #log(subject: string): SubjectLog {
    const log = this.#logs.get(subject) ?? new SubjectLog();
    this.#logs.set(subject, log);
    return log;
  }

  #requireOpen(what: string): void {
    if (this.#state === "closed") throw busError("FL_BUS_CLOSED", `cannot ${what}: the bus is closed`);
  }

  #requireConnection(what: string): void {
    this.#requireOpen(what);
    if (this.#state === "disconnected") throw busError("FL_BUS_UNAVAILABLE", `cannot ${what}: the bus is disconnected`);
  }
}
