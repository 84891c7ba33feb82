import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import {
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { type Instance, instanceKey, type MeshNode, serviceKey } from "@fairlead/model";
import type { CompiledResource, ProvenanceEntry } from "@fairlead/snapshot";
import { compiled } from "./compiled.ts";
import { httpRank, outboundClusterName } from "./names.ts";
import { compareText, type ServicePlan } from "./service-plan.ts";

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

/** `host:port` is unique in an assignment, gRPC refuses duplicates: instances behind one proxy are one endpoint with their weight together. */
function endpointsOf(instances: readonly Instance[], nodes: ReadonlyMap<string, MeshNode>): WeightedEndpoint[] {
  const endpoints = new Map<string, WeightedEndpoint>();
  for (const instance of instances) {
    const node = nodes.get(instance.nodeId);
    if (node === undefined) continue;
    const { address } = node;
    // The inbound listener speaks HTTP; a call of another protocol goes to the application itself.
    const port = httpRank(instance.protocol) === undefined ? instance.port : (node.inboundPort ?? instance.port);
    const key = `${address} ${port}`;
    endpoints.set(key, { address, port, weight: instance.weight + (endpoints.get(key)?.weight ?? 0) });
  }
  return [...endpoints.values()].toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}

function hasLabels(instance: Instance, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => instance.labels[name] === value);
}

/**
 * The endpoints of a service's cluster and of each of its subsets' clusters: its `ready` instances.
 *
 * @param instances all of the service's, in any order
 */
export function loadAssignments(
  plan: ServicePlan,
  instances: readonly Instance[],
  nodes: ReadonlyMap<string, MeshNode>,
  revision: number,
): CompiledResource[] {
  const ready = instances.filter(({ state }) => state === "ready");
  return [undefined, ...plan.subsets].map((subset) => {
    const clusterName = outboundClusterName(plan.service, subset?.name);
    const members = subset === undefined ? ready : ready.filter((instance) => hasLabels(instance, subset.labels));
    const endpoints = endpointsOf(members, nodes);
    const assignment = create(ClusterLoadAssignmentSchema, {
      clusterName,
      endpoints: endpoints.length === 0 ? [] : [localityEndpoints(endpoints)],
    });
    const provenance: ProvenanceEntry[] = [
      { kind: "service", key: serviceKey(plan.service) },
      ...members
        .map((instance) => ({ kind: "instance" as const, key: instanceKey(instance) }))
        .toSorted((a, b) => compareText(a.key, b.key)),
      ...(subset === undefined ? [] : plan.ruleProvenance),
    ];
    return compiled(
      { key: `eds/${clusterName}`, typeUrl: typeUrls.endpoint, name: clusterName },
      ClusterLoadAssignmentSchema,
      assignment,
      revision,
      provenance,
    );
  });
}
