import { create } from "@bufbuild/protobuf";
import {
  type Route,
  RouteActionSchema,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { Audience } from "./audience.ts";
import { durationOf } from "./durations.ts";
import { outboundClusterName } from "./names.ts";
import type { RouteToRender } from "./planned-route.ts";
import { policyRoutes } from "./policy-route.ts";
import { retryPolicy } from "./retry-policy.ts";
import { routeMatch } from "./route-match.ts";
import type { PlannedRoute, ServicePlan } from "./service-plan.ts";

export type { Audience } from "./audience.ts";

function toRender(planned: PlannedRoute): RouteToRender {
  return {
    route: planned.route,
    destinations: planned.destinations.map(({ service, subset, weight }, index) => ({
      cluster: outboundClusterName(service, subset),
      weight,
      headers: planned.route.route?.[index]?.headers,
    })),
    mirrors: [],
    hash: undefined,
    provenance: planned.provenance,
  };
}

function defaultRoute(plan: ServicePlan): Route {
  const retries = retryPolicy(undefined);
  return create(RouteSchema, {
    name: "default",
    match: routeMatch(undefined),
    action: {
      case: "route",
      value: create(RouteActionSchema, {
        clusterSpecifier: { case: "cluster", value: outboundClusterName(plan.service) },
        timeout: durationOf(0),
        ...(retries === undefined ? {} : { retryPolicy: retries }),
      }),
    },
  });
}

/**
 * The virtual host of a service: the routes of its VirtualServices, or else one that leads to its cluster. As in Istio, a request
 * that no route of a VirtualService matches gets 404.
 */
export function virtualHost(plan: ServicePlan, audience: Audience): VirtualHost {
  const { service, routes } = plan;
  return create(VirtualHostSchema, {
    name: service.interface,
    // An API listener is reached by its name only; not all clients compare domains without case.
    domains: [audience === "proxies" ? service.interface.toLowerCase() : "*"],
    routes:
      routes.length === 0
        ? [defaultRoute(plan)]
        : routes.flatMap((route) => policyRoutes(toRender(route), { audience })),
  });
}
