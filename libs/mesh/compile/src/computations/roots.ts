import { type Computation, computation } from "@fairlead/incremental";
import type { PolicyKind } from "@fairlead/model";
import { apiResources } from "./api-resources.ts";
import { clusterNames } from "./clusters.ts";
import { destinationRule } from "./destination-rules.ts";
import { clusterKey, endpoints } from "./endpoints.ts";
import { all, allNodes, allServices, policiesOfKind, services } from "./facts.ts";
import { nodeView } from "./node-resources.ts";
import { subsetOfCluster } from "../names.ts";
import { scopeRoutes, scopeView, shadowedServices } from "./scopes.ts";
import { virtualService } from "./virtual-services.ts";

// What a mesh consists of. A contribution that nothing here holds, or reads, is not made.

/** Its clusters are read by its scopes and here; its virtual host by the scopes that route it. */
const serviceRoot = computation("service root", (reading, key) => {
  const service = reading.get(services, key);
  if (service === undefined) return;
  for (const name of reading.get(clusterNames, key)) reading.hold(endpoints, clusterKey(key, subsetOfCluster(name)));
  reading.hold(apiResources, key);
  reading.hold(shadowedServices, service.interface.toLowerCase());
});

/** What holds the contributions of the policies of a kind. */
const policyRoots: Readonly<Partial<Record<PolicyKind, Computation<unknown>>>> = {
  DestinationRule: destinationRule,
  VirtualService: virtualService,
};

/** Key: all. */
export const meshRoot = computation("mesh", (reading) => {
  reading.hold(scopeRoutes, all);
  reading.hold(scopeView, all);
  for (const key of reading.get(allServices, all)) reading.hold(serviceRoot, key);
  for (const id of reading.get(allNodes, all)) reading.hold(nodeView, id);
  for (const [kind, contribution] of Object.entries(policyRoots)) {
    for (const key of reading.get(policiesOfKind, kind)) reading.hold(contribution, key);
  }
});
