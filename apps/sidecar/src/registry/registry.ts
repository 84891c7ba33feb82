import type { InstanceState } from "@fairlead/model";
import type {
  InstanceStateRequest,
  PublicationAnswer,
  PublishRequest,
  ServiceBody,
  ServiceReference,
} from "@fairlead/registration";

export interface CallOptions {
  /** Ask for an answer only when the change has converged, within this time, in milliseconds. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HeldPublication {
  readonly service: ServiceBody;
  readonly state: InstanceState;
}

export interface Held {
  readonly publications: readonly HeldPublication[];
  readonly subscriptions: readonly ServiceReference[];
}

/**
 * registry-sync, as this node sees it. Every operation may be repeated: one that changes nothing answers with
 * the current revision.
 *
 * @throws FairleadError FL_REGISTRY_UNAVAILABLE when none could be reached; RelayedError with its answer when it refused
 */
export interface Registry {
  /** Registers this node, or renews its registration. */
  registerNode(options?: CallOptions): Promise<void>;
  /** Removes this node with all that it has registered. */
  removeNode(options?: CallOptions): Promise<void>;
  /** @returns the lease time, in milliseconds */
  renewLease(options?: CallOptions): Promise<number>;
  /** What the registry has of this node. */
  held(options?: CallOptions): Promise<Held>;
  publish(service: ServiceBody, state: PublishRequest["state"], options?: CallOptions): Promise<PublicationAnswer>;
  setState(
    service: ServiceReference,
    state: InstanceStateRequest["state"],
    options?: CallOptions,
  ): Promise<PublicationAnswer>;
  unpublish(service: ServiceReference, options?: CallOptions): Promise<PublicationAnswer>;
  subscribe(service: ServiceReference, options?: CallOptions): Promise<PublicationAnswer>;
  unsubscribe(service: ServiceReference, options?: CallOptions): Promise<PublicationAnswer>;
}
