import { isDeepStrictEqual } from "node:util";
import { computation, type Reading } from "@fairlead/incremental";
import { takesRpcCalls } from "@fairlead/model";
import { type Callee, calleeKey } from "../callee.ts";
import { externalEndpoints } from "../external-endpoints.ts";
import { hasLabels } from "../labels.ts";
import { hasIdentity } from "../rpc-identity.ts";
import {
  type AssignmentFor,
  type EndpointMember,
  externalAssignment,
  loadAssignment,
  type NodePlace,
} from "../load-assignment.ts";
import { localitySetting, placeQuestions } from "../locality-balancing.ts";
import { localityOf } from "../locality.ts";
import type { PlannedSubset, ServicePlan } from "../service-plan.ts";
import { anyViewer, narrowed, Sight, type Viewer, viewerId } from "../viewer.ts";
import { callersOf, clusterPlan, planKey } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { all, allNodes, instances, instancesOfService, labelText, nodes, nodesOfLabel } from "./facts.ts";

// The key of a cluster's endpoints is that of the plan that says which they are, a line, the subset; and where it matters where a caller
// is, another line and what of the viewer is about that.

/** The key of a service's cluster, or of a subset's. */
export function clusterKey(plan: string, subset: string): string {
  return `${plan}\n${subset}`;
}

function partsOf(key: string): { plan: string; service: string; subset: string; place: Viewer } {
  const [plan = "", subset = "", place = anyViewer] = key.split("\n");
  return { plan, service: callersOf(plan).callee, subset, place };
}

/** Empty for those of all whom no rule tells from others. */
export function viewerOfEndpoints(key: string): string {
  const { plan, place } = partsOf(key);
  const { viewer } = callersOf(plan);
  return viewerId(place === anyViewer ? viewer : `${viewer}\n${place}`);
}

/** What the endpoints of a cluster depend on, but for the endpoints. Key: the cluster's. */
const choiceOf = computation("choice of endpoints", (reading, key) => {
  const { part } = partOf(reading, key);
  const setting = localitySetting(part.policy);
  return { labels: part.labels, addresses: part.addresses, setting, questions: placeQuestions(setting) };
});

/** Those that callers would have alike are kept once. */
export function endpointsKey(reading: Reading, callee: Callee, subset: string, viewer: Viewer): string {
  const shared = clusterKey(calleeKey(callee), subset);
  if (viewer === anyViewer) return shared;
  const own = clusterKey(planKey(reading, callee, viewer), subset);
  const choice = reading.get(choiceOf, own);
  const place = narrowed(viewer, new Set(choice.questions));
  const key = own !== shared && isDeepStrictEqual(choice, reading.get(choiceOf, shared)) ? shared : own;
  return place === anyViewer ? key : `${key}\n${place}`;
}

/** Which instances a cluster has. Key: the cluster's. */
const membersOf = computation("members of a cluster", (reading, key): readonly EndpointMember[] => {
  const { service, subset } = partsOf(key);
  const { labels, identity, addresses } = subset === "" ? wholeService : reading.get(selectionOf, key);
  const wanted = addresses === undefined ? undefined : new Set(addresses);
  const withLabels = reading.get(goesByLabels, key);
  return reading.get(instancesOfService, service).flatMap((instanceId) => {
    const instance = reading.get(instances, instanceId)!;
    if (instance.state !== "ready" || !hasLabels(instance, labels) || !hasIdentity(instance, identity)) return [];
    const { nodeId, protocol, port, weight } = instance;
    if (wanted !== undefined && !isAt(wanted, reading.get(placeOf, nodeId)?.address, port)) return [];
    return [
      {
        key: instanceId,
        nodeId,
        protocol,
        port,
        weight,
        labels: withLabels ? { ...reading.get(labelsOfNode, nodeId), ...instance.labels } : undefined,
      },
    ];
  });
});

const goesByLabels = computation(
  "goes by labels",
  (reading, key): boolean => localitySetting(partOf(reading, key).part.policy)?.failoverPriority !== undefined,
);

const labelsOfNode = computation("labels of a node", (reading, id) => reading.get(nodes, id)?.labels ?? {});

type Selection = Pick<PlannedSubset, "labels" | "identity" | "addresses">;
const wholeService: Selection = { labels: {} };

const selectionOf = computation("selection of a subset", (reading, key): Selection => {
  const { labels, identity, addresses } = partOf(reading, key).part;
  return { labels, identity, addresses };
});

/** @param port the application's own */
function isAt(addresses: ReadonlySet<string>, host: string | undefined, port: number): boolean {
  if (host === undefined) return false;
  return addresses.has(host) || addresses.has(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}

function partOf(reading: Reading, key: string): { plan: ServicePlan; part: PlannedSubset } {
  const { plan: planOf, service, subset } = partsOf(key);
  const plan = reading.get(clusterPlan, planOf);
  const part = [plan?.whole, ...(plan?.subsets ?? [])].find((candidate) => candidate?.name === subset);
  if (plan === undefined || part === undefined) throw new Error(`${service} has no subset ${subset}`);
  return { plan, part };
}

/** Where a node is called; undefined for one that nobody registered. */
const placeOf = computation("place of a node", (reading, id): NodePlace | undefined => {
  const node = reading.get(nodes, id);
  if (node === undefined) return undefined;
  const { address, inboundPort } = node;
  return { address, inboundPort, takesRpc: takesRpcCalls(node), locality: localityOf(node.labels) };
});

/** The nodes that have labels. Key: the labels as JSON. */
const nodesWith = computation("nodes with labels", (reading, key): readonly string[] => {
  const labels = JSON.parse(key) as Record<string, string>;
  const first = Object.entries(labels)[0];
  const candidates =
    first === undefined ? reading.get(allNodes, all) : reading.get(nodesOfLabel, labelText(first[0], first[1]));
  return candidates.filter((id) => hasLabels(reading.get(nodes, id)!, labels));
});

function viewOf(reading: Reading, key: string): AssignmentFor {
  const { plan, part } = partOf(reading, key);
  return { plan, part, viewerId: viewerOfEndpoints(key), sight: new Sight(partsOf(key).place) };
}

/** The endpoints of a ServiceEntry: those that it lists, or the nodes that it selects. */
function assignExternal(reading: Reading, view: AssignmentFor) {
  const { plan, part } = view;
  const external = plan.external!;
  const { workloadSelector } = external.entry;
  if (workloadSelector === undefined) return externalAssignment(view, externalEndpoints(external, part.labels));
  const ids = reading.get(nodesWith, JSON.stringify({ ...workloadSelector.labels, ...part.labels }));
  const port = external.port.targetPort ?? external.port.number;
  const endpoints = ids.flatMap((id) => {
    const place = reading.get(placeOf, id);
    if (place === undefined) return [];
    const { address, locality } = place;
    return [{ address, port, weight: 1, locality, labels: reading.get(labelsOfNode, id) }];
  });
  return externalAssignment(view, endpoints);
}

/** Key: see `endpointsKey`. Where it cannot be made at all, the cluster has no endpoint: its callers get "no healthy upstream". */
export const endpoints = contribution<Contribution>(
  "endpoints",
  (key) => ({ kind: "service", key: partsOf(key).service }),
  (reading, key) => {
    const view = viewOf(reading, key);
    if (view.plan.external !== undefined) return { resources: [assignExternal(reading, view)] };
    const { plan, subset } = partsOf(key);
    const members = reading.get(membersOf, clusterKey(plan, subset));
    return { resources: [loadAssignment(view, members, (nodeId) => reading.get(placeOf, nodeId))] };
  },
  (reading, key) => ({ resources: [externalAssignment(viewOf(reading, key), [])] }),
);
