import { type Computation, computation, type Graph } from "@fairlead/incremental";
import type { PolicyKind } from "@fairlead/model";
import { apiResources } from "./api-resources.ts";
import { clusterNames } from "./clusters.ts";
import { destinationRule } from "./destination-rules.ts";
import { clusterKey, endpoints } from "./endpoints.ts";
import { all, nodes, policies, services } from "./facts.ts";
import { nodeView } from "./node-resources.ts";
import { subsetOfCluster } from "../names.ts";
import { scopeRoutes, scopeView, shadowedServices } from "./scopes.ts";
import { virtualService } from "./virtual-services.ts";

// What a mesh consists of. A contribution that nothing from here on holds or reads is not made.

/** Its clusters are read by its scopes and here; its virtual host by the scopes that route it. */
const serviceRoot = computation("service root", (reading, key) => {
  const service = reading.get(services, key);
  if (service === undefined) return;
  for (const name of reading.get(clusterNames, key)) reading.hold(endpoints, clusterKey(key, subsetOfCluster(name)));
  reading.hold(apiResources, key);
  reading.hold(shadowedServices, service.interface.toLowerCase());
});

const ofKind: Readonly<Partial<Record<PolicyKind, Computation<unknown>>>> = {
  DestinationRule: destinationRule,
  VirtualService: virtualService,
};

const policyRoot = computation("policy root", (reading, key) => {
  const contribution = ofKind[reading.get(policies, key)!.current.kind];
  if (contribution !== undefined) reading.hold(contribution, key);
});

/** What there is of a mesh without a service or a node: the scope of everything. Key: all. */
const meshRoot = computation("mesh root", (reading) => {
  reading.hold(scopeRoutes, all);
  reading.hold(scopeView, all);
});

/** Demands all that a mesh consists of. */
export function demandMesh(graph: Graph): void {
  graph.demand(meshRoot, all);
  graph.demandEach(services, serviceRoot);
  graph.demandEach(nodes, nodeView);
  graph.demandEach(policies, policyRoot);
}
