import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type Bus, type BusMessage, type BusSubscription, subjects } from "@fairlead/bus";
import { ConfigPushedSchema, GatewayStatusSchema } from "@fairlead/fairlead-api";
import type { Logger } from "@fairlead/logging";
import type { ConvergenceTracker } from "./convergence/convergence-tracker.ts";
import type { RefusalHistory } from "./refusals/refusal-history.ts";

/** Gives what compilers and gateways publish to those who follow it. */
export class ConvergenceFeed {
  readonly #bus: Bus;
  readonly #tracker: ConvergenceTracker;
  readonly #refusals: RefusalHistory;
  readonly #logger: Logger;
  #subscriptions: BusSubscription[] = [];

  constructor(bus: Bus, tracker: ConvergenceTracker, refusals: RefusalHistory, logger: Logger) {
    this.#bus = bus;
    this.#tracker = tracker;
    this.#refusals = refusals;
    this.#logger = logger;
  }

  start(): void {
    this.#subscriptions = [
      // What was rejected before this process started is asked for too.
      this.#bus.subscribe(
        subjects.configPushed,
        this.#decoded(ConfigPushedSchema, (message) => this.#tracker.configPushed(message)),
        {
          deliver: "all",
        },
      ),
      // Statuses are whole and come every second: old ones say nothing.
      this.#bus.subscribe(
        subjects.proxyStatus,
        this.#decoded(GatewayStatusSchema, (message) => {
          if (this.#tracker.gatewayStatus(message)) this.#refusals.take(message);
        }),
      ),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.stop()));
  }

  /** A message that cannot be read will not be readable when it comes again: it is logged and dropped. */
  #decoded<Schema extends DescMessage>(
    schema: Schema,
    take: (message: MessageShape<Schema>) => void,
  ): (message: BusMessage) => void {
    return ({ subject, data }) => {
      let message: MessageShape<Schema>;
      try {
        message = fromBinary(schema, data);
      } catch (error) {
        this.#logger.warn({ err: error, subject, bytes: data.length }, "message cannot be decoded, dropped");
        return;
      }
      take(message);
    };
  }
}
