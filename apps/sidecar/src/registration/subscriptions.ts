import { FairleadError } from "@fairlead/errors";
import type { PublicationAnswer, ServiceReference } from "@fairlead/registration";
import type { CallOptions, Registry } from "../registry/registry.ts";
import { isNotConverged } from "./retryable.ts";
import "../errors.ts";

const maxSubscriptions = 10_000;

/** What the application says that it calls, as far as the registry has stored it. */
export class Subscriptions {
  readonly #registry: Pick<Registry, "subscribe" | "unsubscribe">;
  readonly #stored = new Map<string, ServiceReference>();

  constructor(registry: Pick<Registry, "subscribe" | "unsubscribe">) {
    this.#registry = registry;
  }

  async subscribe(service: ServiceReference, options: CallOptions): Promise<PublicationAnswer> {
    if (this.#stored.size >= maxSubscriptions && !this.#stored.has(service.interface)) {
      throw new FairleadError(
        "FL_TOO_MANY_REGISTRATIONS",
        `this sidecar already has ${maxSubscriptions} subscriptions`,
        {
          facts: { limit: maxSubscriptions },
        },
      );
    }
    return await this.#remember(service, this.#registry.subscribe(service, options));
  }

  async unsubscribe(service: ServiceReference, options: CallOptions): Promise<PublicationAnswer> {
    const answer = await this.#registry.unsubscribe(service, options);
    this.#stored.delete(service.interface);
    return answer;
  }

  /** The registry has lost this node: subscribes to everything again. */
  async restore(options: CallOptions): Promise<void> {
    for (const service of this.#stored.values()) await this.#registry.subscribe(service, options);
  }

  /** Takes over what the registry has of this node from before a restart. */
  adopt(held: readonly ServiceReference[]): void {
    for (const service of held) this.#stored.set(service.interface, service);
  }

  list(): readonly ServiceReference[] {
    return [...this.#stored.values()];
  }

  async #remember(service: ServiceReference, call: Promise<PublicationAnswer>): Promise<PublicationAnswer> {
    try {
      const answer = await call;
      this.#stored.set(service.interface, service);
      return answer;
    } catch (error) {
      // A wait that ran out: the subscription itself is stored.
      if (isNotConverged(error)) this.#stored.set(service.interface, service);
      throw error;
    }
  }
}
