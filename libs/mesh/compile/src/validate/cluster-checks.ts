import {
  type Cluster,
  type Cluster_RingHashLbConfig,
  Cluster_DiscoveryType,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import type { LocalityLbEndpoints } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { maxUint32, repeated } from "./route-checks.ts";
import type { MessageCheck } from "./walk.ts";

const maxRingSize = 8n * 1024n * 1024n;
const defaultMinRingSize = 1024n;
const maxPriority = 128;

function* cluster(message: Cluster): Generator<string> {
  if (message.name === "") yield "it has no name";
  const { connectTimeout, clusterDiscoveryType: discovery, edsClusterConfig, loadAssignment } = message;
  if (connectTimeout !== undefined && connectTimeout.seconds <= 0n && connectTimeout.nanos <= 0)
    yield "the time-out of connecting is not above 0";
  const isEds = discovery.case === "type" && discovery.value === Cluster_DiscoveryType.EDS;
  if (isEds && edsClusterConfig?.edsConfig === undefined)
    yield "its endpoints come by EDS, and it does not say from where";
  if (isEds && loadAssignment !== undefined) yield "its endpoints come by EDS, and it has some of its own";
  if (!isEds && edsClusterConfig !== undefined)
    yield "it says where its endpoints come from, and they do not come by EDS";
}

function* ringHash({
  minimumRingSize = defaultMinRingSize,
  maximumRingSize = maxRingSize,
}: Cluster_RingHashLbConfig): Generator<string> {
  if (minimumRingSize > maximumRingSize)
    yield `the ring's least size ${minimumRingSize} is above the largest, ${maximumRingSize}`;
  if (maximumRingSize > maxRingSize) yield `the ring's size is at most ${maxRingSize}`;
}

/** An assignment's localities are each there once in a priority; priorities have no gap. */
function* assignment({ clusterName, endpoints }: ClusterLoadAssignment): Generator<string> {
  if (clusterName === "") yield "it has no name";
  const priorities = new Set(endpoints.map(({ priority }) => priority));
  for (let priority = 0; priority < priorities.size; priority += 1)
    if (!priorities.has(priority)) yield `there is no priority ${priority}, and one above it`;
  for (const priority of priorities) {
    const members = endpoints.filter((one) => one.priority === priority);
    const sum = members.reduce((total, { loadBalancingWeight }) => total + (loadBalancingWeight ?? 0), 0);
    if (sum > maxUint32) yield `the localities' weights add up to ${sum}, and at most to ${maxUint32}`;
    const names = members.map(({ locality }) => [locality?.region, locality?.zone, locality?.subZone].join("/"));
    for (const name of repeated(names)) yield `the locality ${JSON.stringify(name)} is there twice`;
  }
}

/** gRPC refuses an address that is there twice, and Envoy weights that add up to too much. */
function* localityEndpoints({ lbEndpoints, priority }: LocalityLbEndpoints): Generator<string> {
  if (priority > maxPriority) yield `${priority} is no priority`;
  let sum = 0;
  const addresses: string[] = [];
  for (const { hostIdentifier, loadBalancingWeight } of lbEndpoints) {
    if (loadBalancingWeight === 0) yield "the weight of an endpoint is at least 1";
    sum += loadBalancingWeight ?? 1;
    if (hostIdentifier.case !== "endpoint") continue;
    const address = hostIdentifier.value.address?.address;
    if (address?.case === "socketAddress")
      addresses.push(`${address.value.address} ${String(address.value.portSpecifier.value)}`);
  }
  if (sum > maxUint32) yield `the weights add up to ${sum}, and at most to ${maxUint32}`;
  for (const address of repeated(addresses)) yield `the endpoint ${address} is there twice`;
}

export const clusterChecks: readonly (readonly [string, MessageCheck])[] = [
  ["envoy.config.cluster.v3.Cluster", cluster],
  ["envoy.config.cluster.v3.Cluster.RingHashLbConfig", ringHash],
  ["envoy.config.endpoint.v3.ClusterLoadAssignment", assignment],
  ["envoy.config.endpoint.v3.LocalityLbEndpoints", localityEndpoints],
];
