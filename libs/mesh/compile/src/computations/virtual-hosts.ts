import { computation, type Reading } from "@fairlead/incremental";
import { serviceKey } from "@fairlead/model";
import type { ConsistentHash } from "@fairlead/policy";
import { type Callee, calleeKey } from "../callee.ts";
import { routesSeen } from "../match-source.ts";
import { httpRank, outboundClusterName } from "../names.ts";
import { encodedRpcHost, type EncodedVirtualHost, encodedVirtualHost } from "../outbound-routes.ts";
import type { RouteToRender } from "../planned-route.ts";
import type { HostPlan, PlannedRoute, PlannedTarget, RejectedObject } from "../service-plan.ts";
import {
  exportQuestions,
  labelQuestions,
  narrowed,
  namespaceQuestions,
  type Question,
  Sight,
  type Viewer,
} from "../viewer.ts";
import { clusterPlan, identitiesOfService, planKey } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { questionsOfRules } from "./destination-rules.ts";
import { closedRoutes, isTooLarge } from "./route-budget.ts";
import { conflict, externalPorts } from "./service-entries.ts";
import { calleeOf, servicesCalled } from "./services.ts";
import { routesFor, virtualService, virtualServicesInForce } from "./virtual-services.ts";

// The key of what one viewer sees of a service is the callee's, a line, and the viewer.

function partsOf(key: string): { callee: string; viewer: Viewer; sight: Sight } {
  const end = key.indexOf("\n");
  const viewer = key.slice(end + 1);
  return { callee: key.slice(0, end), viewer, sight: new Sight(viewer) };
}

/** What the policies of a name, and of what its routes lead to, ask of who calls it, and of where that is. Key: the name in lower case. */
export const questionsOf = computation("questions of a name", (reading, name) => {
  const ofRules = [...new Set([name, ...reading.get(namesLedTo, name)])].map((one) =>
    reading.get(questionsOfRules, one),
  );
  const sorted = (questions: readonly Question[]) => [...new Set(questions)].toSorted();
  return {
    who: sorted([...reading.get(questionsOfRoutes, name), ...ofRules.flatMap(({ who }) => who)]),
    where: sorted(ofRules.flatMap(({ where }) => where)),
  };
});

/** The names of all that the routes of a name lead to. */
const namesLedTo = computation("names led to", (reading, name): readonly string[] => {
  const routes = reading
    .get(virtualServicesInForce, name)
    .flatMap((key) => reading.get(virtualService, key).use?.routes ?? []);
  const targets = routes.flatMap(({ destinations, mirrors }) => [...destinations, ...mirrors]);
  return [...new Set(targets.map(({ service }) => service.interface.toLowerCase()))].toSorted();
});

const questionsOfRoutes = computation("questions of routes", (reading, name): readonly Question[] => {
  const questions = reading.get(virtualServicesInForce, name).flatMap((key) => {
    const { use } = reading.get(virtualService, key);
    if (use === undefined) return [];
    const matches = use.routes.flatMap(({ route }) => route.match);
    return [
      ...exportQuestions(use.spec.exportTo),
      ...matches.flatMap(({ sourceLabels }) => labelQuestions(sourceLabels ?? {})),
      ...matches.flatMap(({ sourceNamespace }) => (sourceNamespace === undefined ? [] : namespaceQuestions)),
    ];
  });
  const external = reading.get(externalPorts, name).flatMap(({ source }) => exportQuestions(source.entry.exportTo));
  return [...new Set([...questions, ...external])].toSorted();
});

/** @returns the key of what that viewer sees of the service: the same for all that its policies do not tell apart */
export function seenKey(reading: Reading, callee: Callee, viewer: Viewer): string {
  const questions = new Set(reading.get(questionsOf, callee.interface.toLowerCase()).who);
  return `${calleeKey(callee)}\n${narrowed(viewer, questions)}`;
}

/** The routes to a service that a viewer sees, of all its VirtualServices by namespace and name. */
export const routesOf = computation("routes of a service", (reading, key): readonly PlannedRoute[] => {
  const { callee, sight } = partsOf(key);
  const service = reading.get(calleeOf, callee);
  if (service === undefined) return [];
  return reading.get(virtualServicesInForce, service.interface.toLowerCase()).flatMap((policy) => {
    const { use } = reading.get(virtualService, policy);
    if (use === undefined || !sight.sees(use.spec.exportTo, use.namespace)) return [];
    if (reading.get(isTooLarge, policy)) return closedRoutes(use.provenance);
    return routesSeen(reading.get(routesFor, `${policy}\n${callee}`), sight);
  });
});

/** Whether a viewer may call it by name: a ServiceEntry may be for some only. */
export function isVisible(reading: Reading, callee: Callee, viewer: Viewer): boolean {
  if (callee.port === undefined) return true;
  const found = reading
    .get(externalPorts, callee.interface.toLowerCase())
    .find((port) => port.callee.port === callee.port);
  return found !== undefined && new Sight(viewer).sees(found.source.entry.exportTo, found.namespace);
}

/** How a cluster balances by hash, if it does. Key: that of the plan, a line, the subset. */
const hashOf = computation("hash of a cluster", (reading, key): ConsistentHash | undefined => {
  const end = key.indexOf("\n");
  const plan = reading.get(clusterPlan, key.slice(0, end));
  const part = [plan?.whole, ...(plan?.subsets ?? [])].find((candidate) => candidate?.name === key.slice(end + 1));
  return part?.policy.loadBalancer?.consistentHash;
});

function hashAt(reading: Reading, { service, subset }: PlannedTarget, viewer: Viewer): ConsistentHash | undefined {
  return reading.get(hashOf, `${planKey(reading, service, viewer)}\n${subset}`);
}

export function toRender(
  reading: Reading,
  { route, destinations, mirrors, provenance }: PlannedRoute,
  viewer: Viewer,
): RouteToRender {
  return {
    route,
    destinations: destinations.map(({ service, subset, weight, headers }) => ({
      cluster: outboundClusterName(service, subset),
      weight,
      headers,
    })),
    mirrors: mirrors.map(({ service, subset, percent }) => ({
      cluster: outboundClusterName(service, subset),
      percent,
    })),
    hash: destinations.map((target) => hashAt(reading, target, viewer)).find((hash) => hash !== undefined),
    provenance,
  };
}

/** What a viewer sees of a name. */
export const hostPlan = computation("plan of a host", (reading, key): HostPlan | undefined => {
  const { callee, viewer } = partsOf(key);
  const service = reading.get(calleeOf, callee);
  if (service === undefined) return undefined;
  const others = reading
    .get(servicesCalled, service.interface.toLowerCase())
    .filter(({ port, protocol }) => port !== undefined && port !== service.port && httpRank(protocol) !== undefined);
  const services = service.port === undefined ? [service] : [service, ...others];
  const hashes = services.flatMap((one) => {
    const hash = hashAt(reading, { service: one, subset: "" }, viewer);
    return hash === undefined ? [] : [[outboundClusterName(one), hash] as const];
  });
  const external = reading.get(externalPorts, service.interface.toLowerCase());
  return {
    host: service.interface,
    services,
    provenance:
      service.port === undefined
        ? [{ kind: "service", key: serviceKey(service) }]
        : external.map(({ provenance }) => provenance),
    routes: reading.get(routesOf, key).map((route) => toRender(reading, route, viewer)),
    hashes: new Map(hashes),
    identities: reading.get(identitiesOfService, callee),
  };
});

interface VirtualHostContribution extends Contribution {
  readonly host?: EncodedVirtualHost;
}

/** The way to a service as a viewer's proxy sees it; without a host when there never was one that could be made. */
export const proxyVirtualHost = contribution<VirtualHostContribution>(
  "virtual host",
  (key) => ({ kind: "service", key: key.slice(0, key.indexOf("\n")) }),
  (reading, key) => {
    const plan = reading.get(hostPlan, key);
    return plan === undefined ? {} : { host: encodedVirtualHost(plan, "proxies") };
  },
  (reading, key) => {
    const plan = reading.get(hostPlan, key);
    return plan === undefined ? {} : { host: encodedVirtualHost(withoutPolicies(plan), "proxies") };
  },
);

/** Better without what its policies say than not at all; but calls that they send somewhere else do not go to the service: they get 503. */
function withoutPolicies(plan: HostPlan): HostPlan {
  const routes = plan.routes.slice(0, 1).map(({ provenance }): RouteToRender => ({
    route: { name: "policies-not-usable", match: [], directResponse: { status: 503 } },
    destinations: [],
    mirrors: [],
    hash: undefined,
    provenance,
  }));
  return { ...plan, routes, hashes: new Map() };
}

/** What a viewer sees of each RPC service of a name. Key: those of `hostPlan`, a form feed between them. */
export const rpcVirtualHost = contribution<VirtualHostContribution>(
  "virtual host for RPC",
  (key) => ({ kind: "service", key: key.slice(0, key.indexOf("\n")) }),
  (reading, key) => encodedPlans(rpcPlans(reading, key)),
  (reading, key) => encodedPlans(rpcPlans(reading, key).map(withoutPolicies)),
);

function rpcPlans(reading: Reading, key: string): HostPlan[] {
  return key.split("\f").flatMap((one) => reading.get(hostPlan, one) ?? []);
}

function encodedPlans(plans: readonly HostPlan[]): VirtualHostContribution {
  return plans.length === 0 ? {} : { host: encodedRpcHost(plans) };
}

/** Routes that no call reaches because those of another VirtualService take all. Key: the name in lower case. */
export const routeConflicts = contribution<Contribution>(
  "conflicts of VirtualServices",
  (key) => ({ kind: "service", key }),
  (reading, name) => {
    const rejected: RejectedObject[] = [];
    let last: string | undefined;
    for (const key of reading.get(virtualServicesInForce, name)) {
      const { use } = reading.get(virtualService, key);
      if (use === undefined || use.routes.length === 0) continue;
      if (last !== undefined) rejected.push(conflict(use.provenance, `all calls of ${name} take a route of ${last}`));
      // One that is for some callers only takes not all calls.
      const takesAll = use.routes.some(({ route }) => route.match.length === 0);
      if (takesAll && use.spec.exportTo.includes("*")) last ??= key;
    }
    return { rejected };
  },
);
