import { type Computation, computation, type Graph } from "@fairlead/incremental";
import type { PolicyKind } from "@fairlead/model";
import { calleeKey } from "../callee.ts";
import { subsetOfCluster } from "../names.ts";
import { apiResources } from "./api-resources.ts";
import { clusterNames, isEdsBacked } from "./clusters.ts";
import { destinationRule, ruleConflicts } from "./destination-rules.ts";
import { clusterKey, endpoints } from "./endpoints.ts";
import { all, nodes, policies, services } from "./facts.ts";
import { gateway } from "./gateways.ts";
import { nodeView } from "./node-resources.ts";
import { routeBudget } from "./route-budget.ts";
import { scopeRoutes, scopeView, shadowedServices } from "./scopes.ts";
import { externalPorts, hostPorts, serviceEntry } from "./service-entries.ts";
import { calleeOf } from "./services.ts";
import { sidecar } from "./sidecars.ts";
import { routeConflicts } from "./virtual-hosts.ts";
import { virtualService } from "./virtual-services.ts";

// What a mesh consists of. A contribution that nothing from here on holds or reads is not made.

/** Its clusters are read by its scopes and here; its virtual host by the scopes that route it. Key: the callee's. */
const calleeRoot = computation("callee root", (reading, key) => {
  if (reading.get(calleeOf, key) === undefined) return;
  if (reading.get(isEdsBacked, key)) {
    for (const name of reading.get(clusterNames, key)) reading.hold(endpoints, clusterKey(key, subsetOfCluster(name)));
  }
  reading.hold(apiResources, key);
});

/** What there is of a name, whoever has it. Key: the name in lower case. */
const nameRoot = computation("name root", (reading, name) => {
  reading.hold(shadowedServices, name);
  reading.hold(ruleConflicts, name);
  reading.hold(routeConflicts, name);
});

const serviceRoot = computation("service root", (reading, key) => {
  const service = reading.get(services, key);
  if (service === undefined) return;
  reading.hold(calleeRoot, key);
  reading.hold(nameRoot, service.interface.toLowerCase());
});

const entryRoot = computation("ServiceEntry root", (reading, key) => {
  for (const host of reading.get(serviceEntry, key).use?.entry.hosts ?? []) {
    const name = host.toLowerCase();
    reading.hold(nameRoot, name);
    reading.hold(hostPorts, name);
    for (const { callee } of reading.get(externalPorts, name)) reading.hold(calleeRoot, calleeKey(callee));
  }
});

const ofKind: Readonly<Partial<Record<PolicyKind, Computation<unknown>>>> = {
  DestinationRule: destinationRule,
  VirtualService: virtualService,
  ServiceEntry: entryRoot,
  Gateway: gateway,
  Sidecar: sidecar,
};

const policyRoot = computation("policy root", (reading, key) => {
  const contribution = ofKind[reading.get(policies, key)!.current.kind];
  if (contribution !== undefined) reading.hold(contribution, key);
});

/** What there is of a mesh without a service or a node: the scope of everything. Key: all. */
const meshRoot = computation("mesh root", (reading) => {
  reading.hold(scopeRoutes, all);
  reading.hold(scopeView, all);
  reading.hold(routeBudget, all);
});

/** Demands all that a mesh consists of. */
export function demandMesh(graph: Graph): void {
  graph.demand(meshRoot, all);
  graph.demandEach(services, serviceRoot);
  graph.demandEach(nodes, nodeView);
  graph.demandEach(policies, policyRoot);
}
