import { computation } from "@fairlead/incremental";
import type { Subset } from "@fairlead/policy";
import { outboundClusters } from "../cluster.ts";
import type { ServicePlan } from "../service-plan.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { rulesInForce } from "./destination-rules.ts";
import { services } from "./facts.ts";

/** A service with what its DestinationRules say; its routes are not in it. Key: the service's. */
export const clusterPlan = computation("cluster plan", (reading, key): ServicePlan | undefined => {
  const service = reading.get(services, key);
  if (service === undefined) return undefined;
  const rules = reading.get(rulesInForce, service.interface.toLowerCase());
  // A subset that two rules name is the first one's.
  const subsets = new Map<string, Subset>();
  for (const { rule } of rules)
    for (const subset of rule.subsets) if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
  return {
    service,
    loadBalancer: rules[0]?.rule.trafficPolicy?.loadBalancer?.simple ?? "ROUND_ROBIN",
    subsets: [...subsets.values()],
    ruleProvenance: rules.map(({ provenance }) => provenance),
    routes: [],
  };
});

/** The clusters of a service and its subsets: all of them as they are now, or all as they last could be. Key: the service's. */
export const serviceClusters = contribution<Contribution>(
  "clusters",
  (key) => ({ kind: "service", key }),
  (reading, key) => {
    const plan = reading.get(clusterPlan, key);
    return { resources: plan === undefined ? [] : outboundClusters(plan) };
  },
);

/** The names of a service's clusters. None: nobody may be sent there. */
export const clusterNames = computation("cluster names", (reading, key): readonly string[] =>
  (reading.get(serviceClusters, key).resources ?? []).map(({ name }) => name),
);
