import { create } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { serviceKey } from "@fairlead/model";
import type { CompiledResource, ProvenanceEntry } from "@fairlead/snapshot";
import { compiled, type ResourceIdentity } from "./compiled.ts";
import { outboundListenerName } from "./names.ts";
import type { ServicePlan } from "./service-plan.ts";
import { type Audience, virtualHost } from "./virtual-host.ts";

function provenanceOf(plans: readonly ServicePlan[]): ProvenanceEntry[] {
  const entries = plans.flatMap((plan) => [
    { kind: "service" as const, key: serviceKey(plan.service) },
    ...plan.routes.map(({ provenance }) => provenance),
  ]);
  return [...new Map(entries.map((entry) => [`${entry.kind} ${entry.key}`, entry])).values()];
}

function routeConfiguration(
  identity: ResourceIdentity,
  plans: readonly ServicePlan[],
  audience: Audience,
  revision: number,
): CompiledResource {
  const message = create(RouteConfigurationSchema, {
    name: identity.name,
    virtualHosts: plans.map((plan) => virtualHost(plan, audience)),
    validateClusters: false,
    // `shop.Orders:8080` is `shop.Orders`: a service's name has no port of its own.
    ignorePortInHostMatching: true,
  });
  return compiled(identity, RouteConfigurationSchema, message, revision, provenanceOf(plans));
}

/**
 * All virtual hosts of a scope.
 *
 * @param plans in the order of their interface; one for each interface in any case: domains are unique
 */
export function outboundRoutes(scopeId: string, plans: readonly ServicePlan[], revision: number): CompiledResource {
  return routeConfiguration(
    { key: `rds/${scopeId}/${outboundListenerName}`, typeUrl: typeUrls.route, name: outboundListenerName },
    plans,
    "proxies",
    revision,
  );
}

/** The routes of one service alone, for proxyless clients. */
export function apiRoutes(plan: ServicePlan, revision: number): CompiledResource {
  const name = plan.service.interface;
  return routeConfiguration(
    { key: `rds/api/${name}`, typeUrl: typeUrls.route, name, onDemand: true },
    [plan],
    "grpcClients",
    revision,
  );
}
