import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { MeshNode, Protocol } from "@fairlead/model";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { compareText } from "./compare-text.ts";
import { compiled, type RenderedResource } from "./compiled.ts";
import { endpointsFor, localitySetting } from "./locality-balancing.ts";
import type { LocatedEndpoint } from "./locality-endpoints.ts";
import { httpRank, isRpc, outboundClusterName, resourceKey } from "./names.ts";
import type { PlannedSubset, ServicePlan } from "./service-plan.ts";
import type { Sight } from "./viewer.ts";

/** An instance that a cluster sends calls to. */
export interface EndpointMember {
  readonly key: string;
  readonly nodeId: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly weight: number;
  /** Those that a failover goes by; undefined where none does. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Where a node's proxy is called. */
export interface NodePlace extends Pick<MeshNode, "address" | "inboundPort"> {
  /** Its inbound listener takes Dubbo and bolt. */
  readonly takesRpc: boolean;
  /** `region/zone/subzone`; empty = none is known. */
  readonly locality: string;
}

/** `host:port` is unique in an assignment, gRPC refuses duplicates: instances behind one proxy are one endpoint with their weight together. */
function together(endpoints: readonly LocatedEndpoint[]): LocatedEndpoint[] {
  const found = new Map<string, LocatedEndpoint>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.address} ${endpoint.port}`;
    const before = found.get(key);
    found.set(key, before === undefined ? endpoint : { ...before, weight: before.weight + endpoint.weight });
  }
  return [...found.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}

/** Whose view of a cluster's endpoints it is. */
export interface AssignmentFor {
  readonly plan: ServicePlan;
  readonly part: PlannedSubset;
  /** Empty for all whom no rule tells from others. */
  readonly viewerId: string;
  readonly sight: Sight;
}

function assignment(
  { plan, part, viewerId, sight }: AssignmentFor,
  endpoints: readonly LocatedEndpoint[],
  members: readonly ProvenanceEntry[],
): RenderedResource {
  const clusterName = outboundClusterName(plan.service, part.name);
  const setting = localitySetting(part.policy);
  const ruled = part.name !== "" || setting !== undefined;
  return compiled(
    { key: resourceKey("eds", viewerId, clusterName), typeUrl: typeUrls.endpoint, name: clusterName },
    ClusterLoadAssignmentSchema,
    create(ClusterLoadAssignmentSchema, { clusterName, endpoints: endpointsFor(together(endpoints), setting, sight) }),
    [plan.provenance, ...members, ...(ruled ? plan.ruleProvenance : [])],
  );
}

/**
 * The endpoints of a registered service's cluster, or of a subset's.
 *
 * @param members by key
 */
export function loadAssignment(
  view: AssignmentFor,
  members: readonly EndpointMember[],
  placeOf: (nodeId: string) => NodePlace | undefined,
): RenderedResource {
  const endpoints = members.flatMap(({ nodeId, protocol, port: ownPort, weight, labels }) => {
    const place = placeOf(nodeId);
    if (place === undefined) return [];
    // The inbound listener speaks HTTP, of our own proxies RPC too; a call of another protocol goes to the application itself.
    const taken = httpRank(protocol) !== undefined || (isRpc(protocol) && place.takesRpc);
    const port = taken ? (place.inboundPort ?? ownPort) : ownPort;
    return [
      { address: place.address, port, weight, locality: place.locality, ...(labels === undefined ? {} : { labels }) },
    ];
  });
  return assignment(
    view,
    endpoints,
    members.map(({ key }) => ({ kind: "instance", key })),
  );
}

/** The endpoints of a ServiceEntry's port. */
export function externalAssignment(view: AssignmentFor, endpoints: readonly LocatedEndpoint[]): RenderedResource {
  return assignment(view, endpoints, []);
}
