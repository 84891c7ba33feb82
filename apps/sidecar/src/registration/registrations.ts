import { FairleadError } from "@fairlead/errors";
import type { NodeBody, PublicationAnswer, ServiceBody, ServiceReference, WaitQuery } from "@fairlead/registration";
import type { CallOptions } from "../registry/registry.ts";
import type { NodeLease } from "./node-lease.ts";
import type { PublicationStatus } from "./publication-record.ts";
import type { Publications } from "./publications.ts";
import type { Subscriptions } from "./subscriptions.ts";
import "../errors.ts";

/** Everything that this sidecar has registered, for GET /v1/registrations. */
export interface RegistrationsReport {
  readonly node: NodeBody;
  readonly lease: ReturnType<NodeLease["state"]>;
  readonly publications: readonly PublicationStatus[];
  readonly subscriptions: readonly ServiceReference[];
}

/** What the application asks of its sidecar: the operations of the local API. */
export class Registrations {
  readonly #node: NodeBody;
  readonly #publications: Publications;
  readonly #subscriptions: Subscriptions;
  readonly #lease: Pick<NodeLease, "state">;
  #isStopping = false;

  constructor(parts: {
    node: NodeBody;
    publications: Publications;
    subscriptions: Subscriptions;
    lease: Pick<NodeLease, "state">;
  }) {
    this.#node = parts.node;
    this.#publications = parts.publications;
    this.#subscriptions = parts.subscriptions;
    this.#lease = parts.lease;
  }

  async publish(service: ServiceBody, query: WaitQuery): Promise<PublicationAnswer> {
    this.#refuseWhenStopping();
    return { ...(await this.#publications.publish(service, waitMsOf(query))), err_msg: "publish success" };
  }

  async withdraw(service: ServiceReference, query: WaitQuery): Promise<PublicationAnswer> {
    return { ...(await this.#publications.withdraw(service, waitMsOf(query))), err_msg: "unpub success" };
  }

  async subscribe(service: ServiceReference, query: WaitQuery): Promise<PublicationAnswer> {
    this.#refuseWhenStopping();
    return { ...(await this.#subscriptions.subscribe(service, callOptions(query))), err_msg: "subscribe success" };
  }

  async unsubscribe(service: ServiceReference, query: WaitQuery): Promise<PublicationAnswer> {
    return { ...(await this.#subscriptions.unsubscribe(service, callOptions(query))), err_msg: "unsubscribe success" };
  }

  report(): RegistrationsReport {
    return {
      node: this.#node,
      lease: this.#lease.state(),
      publications: this.#publications.list(),
      subscriptions: this.#subscriptions.list(),
    };
  }

  /** From now on nothing is registered any more; withdrawing goes on. */
  beginStop(): void {
    this.#isStopping = true;
  }

  #refuseWhenStopping(): void {
    if (this.#isStopping)
      throw new FairleadError("FL_SIDECAR_STOPPING", "this sidecar is stopping and registers nothing any more");
  }
}

function waitMsOf(query: WaitQuery): number | undefined {
  return query.wait === "converged" ? query.timeout : undefined;
}

function callOptions(query: WaitQuery): CallOptions {
  return query.wait === "converged" ? { waitMs: query.timeout } : {};
}
