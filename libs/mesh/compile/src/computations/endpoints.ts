import { computation } from "@fairlead/incremental";
import { instanceKey } from "@fairlead/model";
import { type EndpointMember, hasLabels, loadAssignment } from "../load-assignment.ts";
import { clusterPlan } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { instances, instancesOfService, nodes } from "./facts.ts";

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

const labelsOf = computation("labels of a subset", (reading, key): Readonly<Record<string, string>> => {
  const { service, subset } = partsOf(key);
  const found = reading.get(clusterPlan, service)?.subsets.find(({ name }) => name === subset);
  if (found === undefined) throw new Error(`${service} has no subset ${subset}`);
  return found.labels;
});

/** Where a node is called; undefined for one that nobody registered. */
const placeOf = computation("place of a node", (reading, id) => {
  const node = reading.get(nodes, id);
  return node === undefined ? undefined : { address: node.address, inboundPort: node.inboundPort };
});

/** Key: the cluster's. Where it cannot be made at all, the cluster has no endpoint: its callers get "no healthy upstream". */
export const endpoints = contribution<Contribution>(
  "endpoints",
  (key) => ({ kind: "service", key: partsOf(key).service }),
  (reading, key) => {
    const { service, subset } = partsOf(key);
    const plan = reading.get(clusterPlan, service)!;
    const members = reading.get(membersOf, key);
    return { resources: [loadAssignment(plan, subset, members, (nodeId) => reading.get(placeOf, nodeId))] };
  },
  (reading, key) => {
    const { service, subset } = partsOf(key);
    return { resources: [loadAssignment(reading.get(clusterPlan, service)!, subset, [], () => undefined)] };
  },
);
