import { create } from "@bufbuild/protobuf";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type Route,
  type VirtualHost,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { outboundClusterName } from "./names.ts";
import { policyRoutes } from "./policy-route.ts";
import { identityName } from "./rpc-identity.ts";
import type { HostPlan } from "./service-plan.ts";
import { defaultRoute } from "./virtual-host.ts";

/** What the proxy notes of each call: the same interface may be there over Dubbo and over bolt. */
export const rpcProtocolHeader = "x-rpc-protocol";

export function headerIs(name: string, value: string): HeaderMatcher {
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: {
      case: "stringMatch",
      value: { matchPattern: { case: "exact", value } },
    },
  });
}

function routesOf(plan: HostPlan): Route[] {
  if (plan.routes.length > 0) return plan.routes.flatMap((route) => policyRoutes(route, { audience: "proxies" }));
  const service = plan.services[0]!;
  const ofIdentities = plan.identities.map((identity) => {
    const subset = identityName(identity);
    const route = defaultRoute(service, plan, false, outboundClusterName(service, subset));
    route.name = subset;
    for (const name of ["version", "group"] as const)
      if (identity[name] !== undefined) route.match!.headers.push(headerIs(name, identity[name]));
    return route;
  });
  // A call that asks for nothing goes to any.
  return [...ofIdentities, defaultRoute(service, plan, false)];
}

/** The virtual host of an interface in an RPC proxy: routes as `virtualHost` has them, of each protocol its own. */
export function rpcVirtualHost(plans: readonly HostPlan[]): VirtualHost {
  const host = plans[0]!.host;
  return create(VirtualHostSchema, {
    name: host,
    domains: [host.toLowerCase()],
    routes: plans.flatMap((plan) =>
      routesOf(plan).map((route) => {
        route.match!.headers.unshift(headerIs(rpcProtocolHeader, plan.services[0]!.protocol));
        return route;
      }),
    ),
  });
}
