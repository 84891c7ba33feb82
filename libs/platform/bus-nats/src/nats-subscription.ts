import type { BusMessage, BusSubscription, SubscribeOptions } from "@fairlead/bus";
import { busError, deliver, type RedeliveryOptions } from "@fairlead/bus/adapter";
import type { Logger } from "@fairlead/logging";
import type { JsMsg, StreamInfo } from "@nats-io/jetstream";
import { busMessageOf } from "./message-headers.ts";
import type { NatsLink } from "./nats-link.ts";
import { StreamFollower } from "./stream-follower.ts";
import { messageStream } from "./streams.ts";

export interface NatsSubscriptionOptions {
  readonly link: NatsLink;
  readonly subject: string;
  readonly handler: (message: BusMessage) => void | Promise<void>;
  readonly deliver: NonNullable<SubscribeOptions["deliver"]>;
  readonly redelivery: Omit<RedeliveryOptions, "signal">;
  readonly logger: Logger;
  readonly onStop: (subscription: NatsSubscription) => void;
}

/** One subject of the message stream, from where it broke off or, with `new`, from now. */
export class NatsSubscription implements BusSubscription {
  readonly ready: Promise<void>;
  readonly #options: NatsSubscriptionOptions;
  readonly #follower: StreamFollower;
  readonly #inForce = Promise.withResolvers<void>();
  /** The last message read, and when its stream was made: another stream counts from one again. */
  #last = 0;
  #incarnation = "";

  constructor(options: NatsSubscriptionOptions) {
    this.#options = options;
    this.ready = this.#inForce.promise;
    this.ready.catch(() => undefined);
    this.#follower = new StreamFollower({
      link: options.link,
      plan: messageStream,
      filter: options.subject,
      logger: options.logger,
      reader: {
        begin: async (stream) => this.#begin(stream),
        inForce: () => this.#inForce.resolve(),
        message: (message) => this.#message(message),
        alive: () => undefined,
      },
    });
  }

  #begin({ created, state }: StreamInfo): number {
    const same = this.#incarnation === created && this.#last <= state.last_seq;
    if (this.#options.deliver === "new") this.#last = state.last_seq;
    else if (!same) this.#last = 0;
    this.#incarnation = created;
    return this.#last + 1;
  }

  async #message(message: JsMsg): Promise<void> {
    await deliver(busMessageOf(message), this.#options.handler, {
      ...this.#options.redelivery,
      signal: this.#follower.signal,
    });
    this.#last = message.seq;
  }

  async stop(): Promise<void> {
    this.#options.onStop(this);
    await this.#follower.stop();
    this.#inForce.reject(
      busError("FL_BUS_CLOSED", `the subscription to ${this.#options.subject} was stopped before it was in force`),
    );
  }
}
