import { FairleadError } from "@fairlead/errors";
import { type PolicyObject, policyKey } from "@fairlead/model";
import type { ConsistentHash, Headers, HttpRoute, Subnet } from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import type { Callee } from "./callee.ts";
import type { EffectivePolicy } from "./effective-policy.ts";
import type { ExternalSource } from "./external-endpoints.ts";
import type { RouteToRender } from "./planned-route.ts";
import type { RpcIdentity } from "./rpc-identity.ts";
import "./errors.ts";

/** A destination that exists, or the service itself. */
export interface PlannedTarget {
  readonly service: Callee;
  /** Empty = the service as a whole. */
  readonly subset: string;
}

/** A route of a VirtualService whose destinations all exist. */
export interface PlannedRoute {
  readonly route: HttpRoute;
  /** In the order of `route.route`. */
  readonly destinations: readonly (PlannedTarget & {
    readonly weight: number;
    readonly headers: Headers | undefined;
  })[];
  readonly mirrors: readonly (PlannedTarget & { readonly percent: number })[];
  readonly provenance: ProvenanceEntry;
}

/** A route of tls or tcp: connections are passed on as they are. */
export interface PlannedConnections {
  /** Alternatives; without any, all connections match. */
  readonly match: readonly {
    /** Empty for tcp. */
    readonly sniHosts: readonly string[];
    readonly destinationSubnets: readonly Subnet[];
    readonly port?: number | undefined;
    readonly gateways?: readonly string[] | undefined;
    readonly sourceLabels?: Readonly<Record<string, string>> | undefined;
    readonly sourceNamespace?: string | undefined;
  }[];
  readonly destinations: readonly (PlannedTarget & { readonly weight: number })[];
  readonly provenance: ProvenanceEntry;
}

/** A part of a service, or the whole of it: what becomes one cluster. */
export interface PlannedSubset {
  /** Empty = the service as a whole. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where its instances are, `host:port` or `host`; undefined = anywhere. */
  readonly addresses?: readonly string[] | undefined;
  /** Of an RPC service: the version and group that its instances have. */
  readonly identity?: RpcIdentity | undefined;
  readonly policy: EffectivePolicy;
}

/** A service with all that ServiceEntries and DestinationRules say of it to a caller: what clusters and endpoints are compiled from. */
export interface ServicePlan {
  readonly service: Callee;
  /** Whose clusters they are; empty = of all whom no rule tells from others. */
  readonly viewerId: string;
  /** Of a ServiceEntry's host. */
  readonly external: ExternalSource | undefined;
  /** The service, or its ServiceEntry. */
  readonly provenance: ProvenanceEntry;
  readonly whole: PlannedSubset;
  readonly subsets: readonly PlannedSubset[];
  /** Of its DestinationRules. */
  readonly ruleProvenance: readonly ProvenanceEntry[];
}

/** What a name leads to: what a virtual host is compiled from. */
export interface HostPlan {
  /** As callers write it; case does not matter. */
  readonly host: string;
  /** Over HTTP. A registered service; of a ServiceEntry its ports, the one for calls without a port first. */
  readonly services: readonly Callee[];
  readonly provenance: readonly ProvenanceEntry[];
  /** Empty: no VirtualService, all calls go to the services themselves. */
  readonly routes: readonly RouteToRender[];
  /** How the services balance by hash, by their cluster's name. */
  readonly hashes: ReadonlyMap<string, ConsistentHash>;
  /** Of an RPC service whose instances differ: what a call may ask for. */
  readonly identities: readonly RpcIdentity[];
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
