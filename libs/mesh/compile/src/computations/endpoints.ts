import { computation, type Reading } from "@fairlead/incremental";
import { instanceKey } from "@fairlead/model";
import { externalEndpoints } from "../external-endpoints.ts";
import { hasLabels } from "../labels.ts";
import { type EndpointMember, externalAssignment, loadAssignment, type NodePlace } from "../load-assignment.ts";
import { localityOf } from "../locality.ts";
import type { PlannedSubset, ServicePlan } from "../service-plan.ts";
import { clusterPlan } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { all, allNodes, instances, instancesOfService, labelText, nodes, nodesOfLabel } from "./facts.ts";

/** The key of a service's cluster, or of a subset's. */
export function clusterKey(service: string, subset: string): string {
  return `${service}\n${subset}`;
}

function partsOf(key: string): { service: string; subset: string } {
  const end = key.lastIndexOf("\n");
  return { service: key.slice(0, end), subset: key.slice(end + 1) };
}

/** Which instances a cluster has. Key: the cluster's. */
const membersOf = computation("members of a cluster", (reading, key): readonly EndpointMember[] => {
  const { service, subset } = partsOf(key);
  const labels = subset === "" ? {} : reading.get(labelsOf, key);
  return reading.get(instancesOfService, service).flatMap((instanceId) => {
    const instance = reading.get(instances, instanceId)!;
    if (instance.state !== "ready" || !hasLabels(instance, labels)) return [];
    const { nodeId, protocol, port, weight } = instance;
    return [{ key: instanceKey(instance), nodeId, protocol, port, weight }];
  });
});

const labelsOf = computation(
  "labels of a subset",
  (reading, key): Readonly<Record<string, string>> => partOf(reading, key).part.labels,
);

function partOf(reading: Reading, key: string): { plan: ServicePlan; part: PlannedSubset } {
  const { service, subset } = partsOf(key);
  const plan = reading.get(clusterPlan, service);
  const part = [plan?.whole, ...(plan?.subsets ?? [])].find((candidate) => candidate?.name === subset);
  if (plan === undefined || part === undefined) throw new Error(`${service} has no subset ${subset}`);
  return { plan, part };
}

/** Where a node is called; undefined for one that nobody registered. */
const placeOf = computation("place of a node", (reading, id): NodePlace | undefined => {
  const node = reading.get(nodes, id);
  if (node === undefined) return undefined;
  return { address: node.address, inboundPort: node.inboundPort, locality: localityOf(node.labels) };
});

/** The nodes that have labels. Key: the labels as JSON. */
const nodesWith = computation("nodes with labels", (reading, key): readonly string[] => {
  const labels = JSON.parse(key) as Record<string, string>;
  const first = Object.entries(labels)[0];
  const candidates =
    first === undefined ? reading.get(allNodes, all) : reading.get(nodesOfLabel, labelText(first[0], first[1]));
  return candidates.filter((id) => hasLabels(reading.get(nodes, id)!, labels));
});

/** The endpoints of a ServiceEntry: those that it lists, or the nodes that it selects. */
function assignExternal(reading: Reading, plan: ServicePlan, part: PlannedSubset) {
  const external = plan.external!;
  const { workloadSelector } = external.entry;
  if (workloadSelector === undefined)
    return externalAssignment(plan, part.name, externalEndpoints(external, part.labels));
  const ids = reading.get(nodesWith, JSON.stringify({ ...workloadSelector.labels, ...part.labels }));
  const port = external.port.targetPort ?? external.port.number;
  const endpoints = ids.flatMap((id) => {
    const place = reading.get(placeOf, id);
    return place === undefined ? [] : [{ address: place.address, port, weight: 1, locality: place.locality }];
  });
  return externalAssignment(plan, part.name, endpoints);
}

/** Key: the cluster's. Where it cannot be made at all, the cluster has no endpoint: its callers get "no healthy upstream". */
export const endpoints = contribution<Contribution>(
  "endpoints",
  (key) => ({ kind: "service", key: partsOf(key).service }),
  (reading, key) => {
    const { plan, part } = partOf(reading, key);
    if (plan.external !== undefined) return { resources: [assignExternal(reading, plan, part)] };
    const members = reading.get(membersOf, key);
    return { resources: [loadAssignment(plan, part.name, members, (nodeId) => reading.get(placeOf, nodeId))] };
  },
  (reading, key) => {
    const { service, subset } = partsOf(key);
    return { resources: [externalAssignment(reading.get(clusterPlan, service)!, subset, [])] };
  },
);
