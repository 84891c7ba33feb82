import { FairleadError } from "@fairlead/errors";
import { computation, type Reading } from "@fairlead/incremental";
import { type PolicyObject, type Service, serviceKey } from "@fairlead/model";
import { typedPolicy, type VirtualService } from "@fairlead/policy";
import { httpRank, outboundClusterName } from "../names.ts";
import { type PlannedRoute, provenanceOf } from "../service-plan.ts";
import { clusterNames } from "./clusters.ts";
import { contribution } from "./contribution.ts";
import { services, virtualServicesOfHost } from "./facts.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";
import { servicesCalled } from "./services.ts";

/** What a VirtualService makes of each service of its hosts, by the service's key. */
type RoutesByService = ReadonlyMap<string, readonly PlannedRoute[]>;

/** Key: that of the policy. */
export const virtualService = contribution<PolicyInUse<RoutesByService>>(
  "VirtualService",
  (key) => ({ kind: "policy", key }),
  (reading, key) =>
    policyInUse(reading, key, (policy) => {
      const typed = typedPolicy(policy);
      if (typed.kind !== "VirtualService") throw new Error(`${key} is a ${typed.kind}`);
      const hosts = new Set(typed.spec.hosts.map((name) => name.toLowerCase()));
      const callers = [...hosts].flatMap((host) => reading.get(servicesCalled, host));
      // Also one for hosts that nobody has registered must lead somewhere.
      if (callers.length === 0) resolveRoutes(reading, policy, typed.spec, undefined);
      return new Map(callers.map((caller) => [serviceKey(caller), resolveRoutes(reading, policy, typed.spec, caller)]));
    }),
);

/** The routes of a service, of all its VirtualServices by namespace and name. Key: the service's. */
export const routesOf = computation("routes of a service", (reading, key): readonly PlannedRoute[] => {
  const service = reading.get(services, key);
  if (service === undefined) return [];
  return reading
    .get(virtualServicesOfHost, service.interface.toLowerCase())
    .flatMap((policy) => reading.get(virtualService, policy).use?.get(key) ?? []);
});

/** @param caller the service whose routes they are: destinations of its protocol are preferred, a gRPC call cannot be sent to HTTP/1.1 */
function resolveRoutes(
  reading: Reading,
  policy: PolicyObject,
  spec: VirtualService,
  caller: Service | undefined,
): PlannedRoute[] {
  return spec.http.map((route) => ({
    route,
    provenance: provenanceOf(policy),
    destinations: (route.route ?? []).map(({ destination, weight }) => {
      const service = destinationService(reading, policy, destination.host, caller);
      const subset = destination.subset ?? "";
      if (!reading.get(clusterNames, serviceKey(service)).includes(outboundClusterName(service, subset))) {
        throw unknownDestination(policy, `no DestinationRule of ${destination.host} has the subset ${subset}`);
      }
      return { service, subset, weight: weight ?? 100 };
    }),
  }));
}

function destinationService(
  reading: Reading,
  policy: PolicyObject,
  host: string,
  caller: Service | undefined,
): Service {
  const candidates = reading
    .get(servicesCalled, host.toLowerCase())
    .filter(
      (service) =>
        httpRank(service.protocol) !== undefined && reading.get(clusterNames, serviceKey(service)).length > 0,
    );
  const service = candidates.find(({ protocol }) => protocol === caller?.protocol) ?? candidates[0];
  if (service === undefined)
    throw unknownDestination(policy, `the service ${host} is not registered, or speaks no HTTP`);
  return service;
}

function unknownDestination(policy: PolicyObject, what: string): FairleadError {
  return new FairleadError(
    "FL_POLICY_DESTINATION_UNKNOWN",
    `${policy.kind} ${policy.namespace}/${policy.name}: ${what}`,
    { facts: { file: policy.file, line: policy.line } },
  );
}
