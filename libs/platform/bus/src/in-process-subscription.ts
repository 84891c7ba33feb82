import { setImmediate as nextTurn } from "node:timers/promises";
import type { BusMessage, BusSubscription } from "./bus.ts";
import { deliver, type RedeliveryOptions, settledWithin } from "./redelivery.ts";
import type { SubjectLog } from "./subject-log.ts";

export interface InProcessSubscriptionOptions {
  readonly log: SubjectLog;
  readonly handler: (message: BusMessage) => void | Promise<void>;
  readonly redelivery: Omit<RedeliveryOptions, "signal">;
  readonly from: number;
  readonly connected: () => boolean;
  readonly onStop: (subscription: InProcessSubscription) => void;
}

export class InProcessSubscription implements BusSubscription {
  readonly ready = Promise.resolve();
  readonly #options: InProcessSubscriptionOptions;
  readonly #ending = new AbortController();
  #next: number;
  #draining: Promise<void> | undefined;

  constructor(options: InProcessSubscriptionOptions) {
    this.#options = options;
    this.#next = options.from;
  }

  /** There may be something to deliver. Handlers run in a later turn, never on the caller's stack. */
  wake(): void {
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    const { log, handler, redelivery, connected } = this.#options;
    const { signal } = this.#ending;
    for (;;) {
      await nextTurn();
      const found = signal.aborted || !connected() ? undefined : log.readFrom(this.#next);
      if (found === undefined) break;
      this.#next = found.number + 1;
      await deliver(found.message, handler, { ...redelivery, signal });
    }
    this.#draining = undefined;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#options.onStop(this);
    if (this.#draining !== undefined) await settledWithin(this.#draining, 2000);
  }
}
