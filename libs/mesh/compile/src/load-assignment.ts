import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import {
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { type Instance, type MeshNode, type Protocol, serviceKey } from "@fairlead/model";
import { compiled, type RenderedResource } from "./compiled.ts";
import { httpRank, outboundClusterName } from "./names.ts";
import { compareText } from "./compare-text.ts";
import type { ServicePlan } from "./service-plan.ts";

export interface WeightedEndpoint {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
}

/** One locality without a name. gRPC refuses an unset locality, and skips one without a weight. */
export function localityEndpoints(endpoints: readonly WeightedEndpoint[]): LocalityLbEndpoints {
  return create(LocalityLbEndpointsSchema, {
    locality: {},
    loadBalancingWeight: 1,
    lbEndpoints: endpoints.map(({ address, port, weight }) => ({
      hostIdentifier: {
        case: "endpoint" as const,
        value: {
          address: {
            address: {
              case: "socketAddress" as const,
              value: { address, portSpecifier: { case: "portValue" as const, value: port } },
            },
          },
        },
      },
      loadBalancingWeight: weight,
    })),
  });
}

/** An instance that a cluster sends calls to. */
export interface EndpointMember {
  readonly key: string;
  readonly nodeId: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly weight: number;
}

/** Where a node's proxy is called. */
export type NodePlace = Pick<MeshNode, "address" | "inboundPort">;

/** `host:port` is unique in an assignment, gRPC refuses duplicates: instances behind one proxy are one endpoint with their weight together. */
function endpointsOf(
  members: readonly EndpointMember[],
  placeOf: (nodeId: string) => NodePlace | undefined,
): WeightedEndpoint[] {
  const endpoints = new Map<string, WeightedEndpoint>();
  for (const { nodeId, protocol, port: ownPort, weight } of members) {
    const place = placeOf(nodeId);
    if (place === undefined) continue;
    const { address } = place;
    // The inbound listener speaks HTTP; a call of another protocol goes to the application itself.
    const port = httpRank(protocol) === undefined ? ownPort : (place.inboundPort ?? ownPort);
    const key = `${address} ${port}`;
    endpoints.set(key, { address, port, weight: weight + (endpoints.get(key)?.weight ?? 0) });
  }
  return [...endpoints.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}

export function hasLabels({ labels }: Pick<Instance, "labels">, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

/**
 * The endpoints of a service's cluster, or of a subset's.
 *
 * @param subset empty for the service itself
 * @param members by key
 */
export function loadAssignment(
  plan: ServicePlan,
  subset: string,
  members: readonly EndpointMember[],
  placeOf: (nodeId: string) => NodePlace | undefined,
): RenderedResource {
  const clusterName = outboundClusterName(plan.service, subset);
  const endpoints = endpointsOf(members, placeOf);
  const assignment = create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: endpoints.length === 0 ? [] : [localityEndpoints(endpoints)],
  });
  return compiled(
    { key: `eds/${clusterName}`, typeUrl: typeUrls.endpoint, name: clusterName },
    ClusterLoadAssignmentSchema,
    assignment,
    [
      { kind: "service", key: serviceKey(plan.service) },
      ...members.map(({ key }) => ({ kind: "instance" as const, key })),
      ...(subset === "" ? [] : plan.ruleProvenance),
    ],
  );
}
