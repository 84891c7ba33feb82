import { FairleadError } from "@fairlead/errors";
import { computation, type Reading } from "@fairlead/incremental";
import type { PolicyObject } from "@fairlead/model";
import {
  type Destination,
  type HttpRoute,
  meshGateway,
  type TcpRoute,
  type TlsRoute,
  typedPolicy,
  type VirtualService,
} from "@fairlead/policy";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { type Callee, calleeKey } from "../callee.ts";
import { httpRank, isRpc, outboundClusterName } from "../names.ts";
import { percentOf } from "../percent.ts";
import { requireRoutes } from "../validate/require-routes.ts";
import { type PlannedConnections, type PlannedRoute, type PlannedTarget, provenanceOf } from "../service-plan.ts";
import { clusterNames } from "./clusters.ts";
import { contribution } from "./contribution.ts";
import { closedRoute, type WhenMissing, withDelegates } from "./delegates.ts";
import { virtualServicesOfHost } from "./facts.ts";
import { resolveHost } from "./host-resolution.ts";
import { missingTarget } from "./missing-destination.ts";
import { namesAbove } from "./names-above.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";
import { calleeOf, servicesCalled } from "./services.ts";

export interface VirtualServiceInForce {
  readonly spec: VirtualService;
  readonly namespace: string;
  readonly provenance: ProvenanceEntry;
  /** As it is followed. */
  readonly policy: PolicyObject;
  /** The routes of http with those of delegates in their places … */
  readonly http: readonly HttpRoute[];
  /** … and with their destinations, for a caller of no protocol in particular. */
  readonly routes: readonly PlannedRoute[];
  /** Those of tls and tcp. */
  readonly tls: readonly PlannedConnections[];
  readonly tcp: readonly PlannedConnections[];
  readonly whenMissing: WhenMissing;
}

/** Key: that of the policy. */
export const virtualService = contribution<PolicyInUse<VirtualServiceInForce>>(
  "VirtualService",
  (key) => ({ kind: "policy", key }),
  (reading, key) =>
    policyInUse(reading, key, (policy) => asSaid(reading, policy, "refuse"), {
      use: (policy) => asSaid(reading, policy, "answer503"),
      closed: (policy) => closed(reading, policy),
      consequence: "calls that it sends there get 503",
    }),
);

function specOf(policy: PolicyObject): VirtualService {
  const typed = typedPolicy(policy);
  if (typed.kind !== "VirtualService") throw new Error(`${policy.name} is a ${typed.kind}`);
  return typed.spec;
}

function asSaid(reading: Reading, policy: PolicyObject, whenMissing: WhenMissing): VirtualServiceInForce {
  const spec = specOf(policy);
  return inForce(reading, policy, spec, withDelegates(reading, policy, spec.http, whenMissing), whenMissing);
}

/** For nobody: its calls get 503, where proxies take its matches, or else all calls of its hosts. */
function closed(reading: Reading, policy: PolicyObject): VirtualServiceInForce {
  const spec = specOf(policy);
  const passed = { ...spec, tls: spec.tls.map(nowhere), tcp: spec.tcp.map(nowhere) };
  try {
    return inForce(reading, policy, passed, spec.http.map(closedRoute), "answer503");
  } catch {
    const http = spec.http.length === 0 ? [] : [closedRoute({ match: [] })];
    return inForce(reading, policy, passed, http, "answer503");
  }
}

function nowhere<Route extends TcpRoute | TlsRoute>(route: Route): Route {
  return { ...route, route: [{ destination: { host: missingTarget.service.interface } }] };
}

function inForce(
  reading: Reading,
  policy: PolicyObject,
  spec: VirtualService,
  http: readonly HttpRoute[],
  whenMissing: WhenMissing,
): VirtualServiceInForce {
  const connections = (each: readonly (TcpRoute | TlsRoute)[]) =>
    resolveConnections(reading, policy, each, whenMissing);
  // Also one for hosts that nobody has registered must lead somewhere.
  const routes = resolveRoutes(reading, policy, http, undefined, whenMissing);
  requireRoutes(routes);
  return {
    spec,
    namespace: policy.namespace,
    provenance: provenanceOf(policy),
    policy,
    http,
    routes,
    tls: connections(spec.tls),
    tcp: connections(spec.tcp),
    whenMissing,
  };
}

export function isForMesh({ gateways }: VirtualService): boolean {
  return gateways.length === 0 || gateways.includes(meshGateway);
}

/** The VirtualServices of the mesh that name this host and no other, by namespace and name. Key: the name, or a wildcard, in lower case. */
const virtualServicesNaming = computation("VirtualServices naming", (reading, name): readonly string[] =>
  reading.get(virtualServicesOfHost, name).filter((key) => {
    const { use } = reading.get(virtualService, key);
    if (use === undefined || !isForMesh(use.spec)) return false;
    return use.spec.hosts.some((host) => resolveHost(reading, host, use.namespace) === name);
  }),
);

/**
 * The VirtualServices of a name in lower case, by namespace and name: those that name it, or, where there is none, those of the
 * narrowest wildcard above it.
 */
export const virtualServicesInForce = computation("VirtualServices in force", (reading, name): readonly string[] => {
  for (const candidate of namesAbove(reading, name)) {
    const found = reading.get(virtualServicesNaming, candidate);
    if (found.length > 0) return found;
  }
  return [];
});

/** The routes of a VirtualService for calls to one service. Key: that of the policy, a line, the callee's. */
export const routesFor = computation("routes for a service", (reading, key): readonly PlannedRoute[] => {
  const end = key.indexOf("\n");
  const { use } = reading.get(virtualService, key.slice(0, end));
  const caller = reading.get(calleeOf, key.slice(end + 1));
  if (use === undefined) return [];
  try {
    return resolveRoutes(reading, use.policy, use.http, caller, use.whenMissing);
  } catch {
    // The clusters of its protocol could not be made: it leads where the others lead.
    return use.routes;
  }
});

/** @param caller the service whose routes they are: destinations of its protocol are preferred, a gRPC call cannot be sent to HTTP/1.1 */
export function resolveRoutes(
  reading: Reading,
  policy: PolicyObject,
  http: readonly HttpRoute[],
  caller: Callee | undefined,
  whenMissing: WhenMissing,
): PlannedRoute[] {
  const target = (destination: Destination) =>
    whenMissing === "refuse"
      ? targetOf(reading, policy, destination, caller, "http")
      : (targetIfThere(reading, policy, destination, caller, "http") ??
        targetIfThere(reading, policy, destination, undefined, "http") ??
        missingTarget);
  return http.map((route) => {
    const single = route.mirror === undefined ? [] : [{ destination: route.mirror, percent: mirrorPercent(route) }];
    const several = (route.mirrors ?? []).map((one) => ({ destination: one.destination, percent: percentOf(one) }));
    return {
      route,
      provenance: provenanceOf(policy),
      destinations: (route.route ?? []).map(({ destination, weight, headers }) => ({
        ...target(destination),
        weight: weight ?? 100,
        headers,
      })),
      // A copy that goes nowhere is none.
      mirrors: [...single, ...several]
        .map(({ destination, percent }) => ({ ...target(destination), percent }))
        .filter(({ service }) => service !== missingTarget.service),
    };
  });
}

function resolveConnections(
  reading: Reading,
  policy: PolicyObject,
  routes: readonly (TcpRoute | TlsRoute)[],
  whenMissing: WhenMissing,
): PlannedConnections[] {
  const target = (destination: Destination) =>
    whenMissing === "refuse"
      ? targetOf(reading, policy, destination, undefined, "any")
      : (targetIfThere(reading, policy, destination, undefined, "any") ?? missingTarget);
  return routes.map(({ match, route }) => ({
    match: match.map((one) => ({ ...one, sniHosts: "sniHosts" in one ? one.sniHosts : [] })),
    destinations: route.map(({ destination, weight }) => ({
      ...target(destination),
      weight: weight ?? 100,
    })),
    provenance: provenanceOf(policy),
  }));
}

function mirrorPercent({ mirrorPercentage, mirrorPercent: percent }: HttpRoute): number {
  return percentOf({ percentage: mirrorPercentage, percent });
}

/** Calls are not translated: a Dubbo call goes to Dubbo, and a request of HTTP to HTTP. */
function mayBeRouted({ protocol }: Callee, caller: Callee | undefined): boolean {
  if (caller !== undefined && isRpc(caller.protocol)) return protocol === caller.protocol;
  return httpRank(protocol) !== undefined || (caller === undefined && isRpc(protocol));
}

function targetIfThere(...question: Parameters<typeof targetOf>): PlannedTarget | undefined {
  try {
    return targetOf(...question);
  } catch {
    return undefined;
  }
}

/** @param kind `http`: it must speak HTTP, unless its port is named: a proxy may make TLS towards it */
export function targetOf(
  reading: Reading,
  policy: PolicyObject,
  { host, port, subset = "" }: Destination,
  caller: Callee | undefined,
  kind: "http" | "any",
): PlannedTarget {
  const name = resolveHost(reading, host, policy.namespace);
  const named = (callee: Callee) => callee.port !== undefined && callee.port === port?.number;
  const candidates = reading
    .get(servicesCalled, name)
    .filter(
      (callee) =>
        (kind === "any" || named(callee) || mayBeRouted(callee, caller)) &&
        (port === undefined || callee.port === undefined || named(callee)) &&
        reading.get(clusterNames, calleeKey(callee)).length > 0,
    );
  const service =
    candidates.find(({ port: own, protocol }) =>
      caller?.port === undefined ? protocol === caller?.protocol : own === caller.port,
    ) ?? candidates[0];
  if (service === undefined) {
    const where = port === undefined ? "" : ` on port ${port.number}`;
    const why = kind === "any" ? "is not registered" : "is not registered, or speaks nothing that can be routed";
    throw unknownDestination(policy, `the service ${host}${where} ${why}`);
  }
  if (!reading.get(clusterNames, calleeKey(service)).includes(outboundClusterName(service, subset)))
    throw unknownDestination(policy, `no DestinationRule of ${host} has the subset ${subset}`);
  return { service, subset };
}

export function unknownDestination(policy: PolicyObject, what: string): FairleadError {
  return new FairleadError(
    "FL_POLICY_DESTINATION_UNKNOWN",
    `${policy.kind} ${policy.namespace}/${policy.name}: ${what}`,
    { facts: { file: policy.file, line: policy.line } },
  );
}
