import { computation, type Reading } from "@fairlead/incremental";
import { serviceKey } from "@fairlead/model";
import type { Subset } from "@fairlead/policy";
import { type Callee, calleeKey } from "../callee.ts";
import { outboundClusters } from "../cluster.ts";
import { effectivePolicy } from "../effective-policy.ts";
import { isStatic } from "../external-endpoints.ts";
import { isRpc } from "../names.ts";
import { identitiesOf, identityName, type RpcIdentity } from "../rpc-identity.ts";
import type { ServicePlan } from "../service-plan.ts";
import { anyViewer, narrowed, Sight, type Viewer, viewerId } from "../viewer.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { questionsOfRules, rulesInForce, rulesSeenBy } from "./destination-rules.ts";
import { instances, instancesOfService, services } from "./facts.ts";
import { externalPorts } from "./service-entries.ts";
import { calleeOf } from "./services.ts";

/** What calls of an RPC service may ask for. Key: the callee's. */
export const identitiesOfService = computation("identities of a service", (reading, key): readonly RpcIdentity[] => {
  const service = reading.get(services, key);
  if (service === undefined || !isRpc(service.protocol)) return [];
  return identitiesOf(reading.get(instancesOfService, key).map((id) => reading.get(instances, id)!));
});

// What callers see of a service's clusters is kept by its key, and where rules tell callers apart by a tab and the viewer, too.

/** What such a key says. */
export function callersOf(key: string): { callee: string; viewer: Viewer } {
  const end = key.indexOf("\t");
  return end === -1 ? { callee: key, viewer: anyViewer } : { callee: key.slice(0, end), viewer: key.slice(end + 1) };
}

/** The key of what is kept for callers. */
export function callersKey(callee: string, viewer: Viewer): string {
  return viewer === anyViewer ? callee : `${callee}\t${viewer}`;
}

/** The key of a service's plan and clusters as that viewer has them. */
export function planKey(reading: Reading, callee: Callee, viewer: Viewer): string {
  const key = calleeKey(callee);
  if (viewer === anyViewer) return key;
  const { who } = reading.get(questionsOfRules, callee.interface.toLowerCase());
  return callersKey(key, narrowed(viewer, new Set(who)));
}

/** A service with what its ServiceEntry and DestinationRules say; its routes are not in it. Key: see `planKey`. */
export const clusterPlan = computation("cluster plan", (reading, plan): ServicePlan | undefined => {
  const { callee: key, viewer } = callersOf(plan);
  const service = reading.get(calleeOf, key);
  if (service === undefined) return undefined;
  const name = service.interface.toLowerCase();
  const external =
    service.port === undefined
      ? undefined
      : reading.get(externalPorts, name).find(({ callee }) => calleeKey(callee) === key);
  const rules = rulesSeenBy(reading, name, new Sight(viewer));
  // Of what two rules say the first one's counts.
  const traffic = rules.find(({ rule }) => rule.trafficPolicy !== undefined)?.rule.trafficPolicy;
  const subsets = new Map<string, Subset>();
  for (const { rule } of rules)
    for (const subset of rule.subsets) if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
  // All callers have all clusters, so that no route leads nowhere: of a rule that is for others, the subsets' instances alone.
  for (const { rule } of reading.get(rulesInForce, name))
    for (const { name: subset, labels, addresses } of rule.subsets)
      if (!subsets.has(subset)) subsets.set(subset, { name: subset, labels, addresses });
  const known = new Set(
    reading.get(rulesInForce, name).flatMap(({ rule }) => rule.subsets.map((subset) => subset.name)),
  );
  return {
    service,
    viewerId: viewerId(viewer),
    external: external?.source,
    provenance: external?.provenance ?? { kind: "service", key: serviceKey(service) },
    whole: { name: "", labels: {}, policy: effectivePolicy(traffic, undefined, service.port) },
    subsets: [
      ...[...subsets.values()]
        .filter((subset) => known.has(subset.name))
        .map((subset) => ({
          name: subset.name,
          labels: subset.labels,
          addresses: subset.addresses,
          policy: effectivePolicy(traffic, subset, service.port),
        })),
      ...reading.get(identitiesOfService, key).map((identity) => ({
        name: identityName(identity),
        labels: {},
        identity,
        policy: effectivePolicy(traffic, undefined, service.port),
      })),
    ],
    ruleProvenance: rules.map(({ provenance }) => provenance),
  };
});

/** The clusters of a service and its subsets: all of them as they are now, or all as they last could be. Key: see `planKey`. */
export const serviceClusters = contribution<Contribution>(
  "clusters",
  (key) => ({ kind: "service", key: callersOf(key).callee }),
  (reading, key) => {
    const plan = reading.get(clusterPlan, key);
    return { resources: plan === undefined ? [] : outboundClusters(plan) };
  },
  // Better without what its rules say than not at all.
  (reading, key) => {
    const plan = reading.get(clusterPlan, key);
    return { resources: plan === undefined ? [] : outboundClusters(withoutRules(plan)) };
  },
);

function withoutRules(plan: ServicePlan): ServicePlan {
  const policy = effectivePolicy(undefined, undefined, plan.service.port);
  return {
    ...plan,
    whole: { ...plan.whole, policy },
    subsets: plan.subsets.map((subset) => ({ ...subset, policy })),
  };
}

/** The names of a service's clusters, for all callers the same. None: nobody may be sent there. Key: the callee's. */
export const clusterNames = computation("cluster names", (reading, key): readonly string[] =>
  (reading.get(serviceClusters, key).resources ?? []).map(({ name }) => name),
);

/** Whether a service's endpoints come by EDS; DNS has them otherwise. Key: the callee's. */
export const isEdsBacked = computation("EDS-backed", (reading, key): boolean => {
  const external = reading.get(clusterPlan, key)?.external;
  return external === undefined || isStatic(external);
});
