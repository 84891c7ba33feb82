import { RouteSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { outboundClusterName } from "../names.ts";
import { policyRoutes } from "../policy-route.ts";
import type { PlannedRoute } from "../service-plan.ts";
import { requireValid } from "./require-valid.ts";

/**
 * Asked before a VirtualService is followed: one with a route that proxies would refuse is not, and what it said before stays, over a
 * restart of the compiler too.
 *
 * @throws FairleadError FL_COMPILE_INVALID
 */
export function requireRoutes(routes: readonly PlannedRoute[]): void {
  for (const { route, destinations, provenance } of routes) {
    const targets = destinations.map(({ service, subset, weight, headers }) => ({
      cluster: outboundClusterName(service, subset),
      weight,
      headers,
    }));
    const planned = { route, destinations: targets, mirrors: [], hash: undefined, provenance };
    for (const rendered of policyRoutes(planned, { audience: "proxies" }))
      requireValid(RouteSchema, rendered, `a route of ${provenance.key}`, [provenance]);
  }
}
