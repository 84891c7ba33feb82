import { create } from "@bufbuild/protobuf";
import {
  type Route,
  RouteActionSchema,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { Audience } from "./audience.ts";
import type { Callee } from "./callee.ts";
import { durationOf } from "./durations.ts";
import { hashPolicy } from "./hash-policy.ts";
import { outboundClusterName } from "./names.ts";
import { policyRoutes } from "./policy-route.ts";
import { retryPolicy } from "./retry-policy.ts";
import { authorityPortMatcher, routeMatch } from "./route-match.ts";
import type { HostPlan } from "./service-plan.ts";

export function defaultRoute(
  service: Callee,
  { hashes }: Pick<HostPlan, "hashes">,
  byPort: boolean,
  cluster: string = outboundClusterName(service),
): Route {
  const hash = hashes.get(cluster);
  const retries = retryPolicy(undefined, hash !== undefined);
  const match = routeMatch(undefined);
  if (byPort) match.headers.push(authorityPortMatcher(service.port!));
  return create(RouteSchema, {
    name: byPort ? `port-${service.port}` : "default",
    match,
    action: {
      case: "route",
      value: create(RouteActionSchema, {
        clusterSpecifier: { case: "cluster", value: cluster },
        timeout: durationOf(0),
        ...(retries === undefined ? {} : { retryPolicy: retries }),
        ...(hash === undefined ? {} : { hashPolicy: [hashPolicy(hash)] }),
      }),
    },
  });
}

function routesTo(plan: HostPlan, audience: Audience): Route[] {
  if (plan.routes.length > 0) return plan.routes.flatMap((route) => policyRoutes(route, { audience }));
  const [usual, ...others] = plan.services;
  return [...others.map((service) => defaultRoute(service, plan, true)), defaultRoute(usual!, plan, false)];
}

/**
 * The virtual host of a name: the routes of its VirtualServices, or else those that lead to its clusters. As in Istio, a request
 * that no route of a VirtualService matches gets 404.
 */
export function virtualHost(plan: HostPlan, audience: Audience): VirtualHost {
  return create(VirtualHostSchema, {
    name: plan.host,
    // An API listener is reached by its name only; not all clients compare domains without case.
    domains: [audience === "proxies" ? plan.host.toLowerCase() : "*"],
    routes: routesTo(plan, audience),
  });
}
