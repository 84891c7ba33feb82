import type { Bus, BusMessage, BusSubscription, ConnectionState, KeyValue, SubscribeOptions } from "@fairlead/bus";
import { busError, checkBucket, checkSize, checkSubject, settledWithin } from "@fairlead/bus/adapter";
import type { Logger } from "@fairlead/logging";
import { currentTraceparent } from "@fairlead/telemetry";
import { headersOf } from "./message-headers.ts";
import { NatsBucket } from "./nats-bucket.ts";
import type { NatsLink } from "./nats-link.ts";
import { NatsSubscription } from "./nats-subscription.ts";
import { messageStream } from "./streams.ts";

/** A message that waited behind others is not sent when less than this is left of its time. */
const answerMs = 20;

export interface NatsBusOptions {
  readonly link: NatsLink;
  readonly logger: Logger;
  readonly publishTimeoutMs: number;
  readonly maxBytes: number;
  readonly redeliveryPausesMs: readonly number[];
}

export class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #subscriptions = new Set<NatsSubscription>();
  readonly #buckets = new Map<string, NatsBucket>();
  readonly #underWay = new Set<Promise<unknown>>();
  #lastPublish: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: NatsBusOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#options.link.state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#options.link.onState(listener);
  }

  async publish(message: BusMessage): Promise<void> {
    const { subject } = message;
    checkSubject(subject);
    const what = `the message on ${subject}`;
    checkSize(what, message.data, this.#options.maxBytes);
    this.#requireOpen(`publish on ${subject}`);
    const data = message.data.slice();
    const headers = headersOf(message, message.traceparent ?? currentTraceparent());
    // One after another: an attempt that is repeated must not be overtaken by a later message.
    const before = this.#lastPublish;
    const published = this.#options.link.within(
      `publish on ${subject}`,
      this.#options.publishTimeoutMs,
      async (session, leftMs) => {
        await before;
        // It would be refused for want of an answer, and arrive all the same.
        if (leftMs() < answerMs) throw new Error("those before it took all of its time");
        checkSize(what, data, session.maxBytes);
        await session.append(messageStream, subject, data, headers);
      },
    );
    const settled = published.catch(() => undefined);
    this.#lastPublish = settled;
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
    await published;
  }

  subscribe(
    subject: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): BusSubscription {
    checkSubject(subject);
    this.#requireOpen(`subscribe to ${subject}`);
    const { link, logger, redeliveryPausesMs } = this.#options;
    const subscription = new NatsSubscription({
      link,
      subject,
      handler,
      deliver: options.deliver ?? "new",
      redelivery: { pausesMs: redeliveryPausesMs, logger },
      logger,
      onStop: (stopped) => this.#subscriptions.delete(stopped),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async keyValue(bucket: string): Promise<KeyValue> {
    checkBucket(bucket);
    this.#requireOpen(`open the bucket ${bucket}`);
    const { link, logger, maxBytes, publishTimeoutMs } = this.#options;
    const opened =
      this.#buckets.get(bucket) ?? new NatsBucket({ link, bucket, timeoutMs: publishTimeoutMs, maxBytes, logger });
    this.#buckets.set(bucket, opened);
    return opened;
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await settledWithin(Promise.all(this.#underWay), 2000);
    await Promise.all([
      ...[...this.#subscriptions].map((subscription) => subscription.stop()),
      ...[...this.#buckets.values()].map((bucket) => bucket.close()),
    ]);
    await this.#options.link.close();
  }

  #requireOpen(what: string): void {
    if (this.#closing !== undefined) throw busError("FL_BUS_CLOSED", `cannot ${what}: the bus is closed`);
  }
}
