import { FairleadError } from "@fairlead/errors";
import { type PolicyObject, policyKey, type Service } from "@fairlead/model";
import type { HttpRoute, LoadBalancer, Subset } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import "./errors.ts";

/** A route of a VirtualService whose destinations all exist. */
export interface PlannedRoute {
  readonly route: HttpRoute;
  /** In the order of `route.route`. */
  readonly destinations: readonly { readonly service: Service; readonly subset: string; readonly weight: number }[];
  readonly provenance: ProvenanceEntry;
}

/** A service with all that policies say of it: what clusters and routes are compiled from. */
export interface ServicePlan {
  readonly service: Service;
  readonly loadBalancer: LoadBalancer;
  readonly subsets: readonly Subset[];
  /** Of its DestinationRules. */
  readonly ruleProvenance: readonly ProvenanceEntry[];
  /** Empty: no VirtualService, all calls go to the service itself. */
  readonly routes: readonly PlannedRoute[];
}

/** An object that cannot be used now, with the reason. */
export interface RejectedObject {
  readonly provenance: ProvenanceEntry;
  readonly code: string;
  readonly message: string;
}

export function rejection(provenance: ProvenanceEntry, caught: unknown): RejectedObject {
  const error = FairleadError.from(caught);
  return { provenance, code: error.code === "FL_INTERNAL" ? "FL_COMPILE_FAILED" : error.code, message: error.message };
}

export function provenanceOf(policy: PolicyObject): ProvenanceEntry {
  return { kind: "policy", key: policyKey(policy), file: policy.file, line: policy.line };
}
