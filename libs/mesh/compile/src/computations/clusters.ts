import { computation } from "@fairlead/incremental";
import { serviceKey } from "@fairlead/model";
import type { Subset } from "@fairlead/policy";
import { calleeKey } from "../callee.ts";
import { outboundClusters } from "../cluster.ts";
import { effectivePolicy } from "../effective-policy.ts";
import { isStatic } from "../external-endpoints.ts";
import type { ServicePlan } from "../service-plan.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { rulesInForce } from "./destination-rules.ts";
import { externalPorts } from "./service-entries.ts";
import { calleeOf } from "./services.ts";

/** A service with what its ServiceEntry and DestinationRules say; its routes are not in it. Key: the callee's. */
export const clusterPlan = computation("cluster plan", (reading, key): ServicePlan | undefined => {
  const service = reading.get(calleeOf, key);
  if (service === undefined) return undefined;
  const name = service.interface.toLowerCase();
  const external =
    service.port === undefined
      ? undefined
      : reading.get(externalPorts, name).find(({ callee }) => calleeKey(callee) === key);
  const rules = reading.get(rulesInForce, name);
  // Of what two rules say the first one's counts.
  const traffic = rules.find(({ rule }) => rule.trafficPolicy !== undefined)?.rule.trafficPolicy;
  const subsets = new Map<string, Subset>();
  for (const { rule } of rules)
    for (const subset of rule.subsets) if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
  return {
    service,
    external: external?.source,
    provenance: external?.provenance ?? { kind: "service", key: serviceKey(service) },
    whole: { name: "", labels: {}, policy: effectivePolicy(traffic, undefined, service.port) },
    subsets: [...subsets.values()].map((subset) => ({
      name: subset.name,
      labels: subset.labels,
      policy: effectivePolicy(traffic, subset, service.port),
    })),
    ruleProvenance: rules.map(({ provenance }) => provenance),
  };
});

/** The clusters of a service and its subsets: all of them as they are now, or all as they last could be. Key: the callee's. */
export const serviceClusters = contribution<Contribution>(
  "clusters",
  (key) => ({ kind: "service", key }),
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

/** The names of a service's clusters. None: nobody may be sent there. Key: the callee's. */
export const clusterNames = computation("cluster names", (reading, key): readonly string[] =>
  (reading.get(serviceClusters, key).resources ?? []).map(({ name }) => name),
);

/** Whether a service's endpoints come by EDS; DNS has them otherwise. Key: the callee's. */
export const isEdsBacked = computation("EDS-backed", (reading, key): boolean => {
  const external = reading.get(clusterPlan, key)?.external;
  return external === undefined || isStatic(external);
});

/** The keys of the resources of a service's clusters, by the cluster's name. Key: the callee's. */
export const clusterKeys = computation("cluster keys", (reading, key): ReadonlyMap<string, readonly string[]> => {
  const byEds = reading.get(isEdsBacked, key);
  return new Map(
    reading.get(clusterNames, key).map((name) => [name, byEds ? [`cds/${name}`, `eds/${name}`] : [`cds/${name}`]]),
  );
});
