import type { ConsistentHash, Headers, HttpRoute } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";

/** A destination that exists, by its cluster. */
export interface PlannedDestination {
  readonly cluster: string;
  readonly weight: number;
  readonly headers?: Headers | undefined;
}

/** A route of a VirtualService whose destinations all exist. */
export interface RouteToRender {
  /** Its `match` holds only the alternatives that are for this reader. */
  readonly route: HttpRoute;
  /** Empty where the route answers by itself. */
  readonly destinations: readonly PlannedDestination[];
  readonly mirrors: readonly { readonly cluster: string; readonly percent: number }[];
  /** Of its destinations' DestinationRules. */
  readonly hash: ConsistentHash | undefined;
  readonly provenance: ProvenanceEntry;
}
