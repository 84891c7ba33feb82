import { meshGateway, type HttpMatch } from "@fairlead/policy";
import type { PlannedRoute } from "./service-plan.ts";
import type { Sight } from "./viewer.ts";

/** The routes with the alternatives that `keep` says are for the reader; a route that has none left is none. */
export function routesWith(
  routes: readonly PlannedRoute[],
  keep: (match: HttpMatch) => HttpMatch | undefined,
): PlannedRoute[] {
  return routes.flatMap((planned) => {
    const { match } = planned.route;
    if (match.length === 0) return [planned];
    const kept = match.flatMap((one) => keep(one) ?? []);
    if (kept.length === 0) return [];
    return [
      kept.length === match.length && kept.every((one, index) => one === match[index])
        ? planned
        : { ...planned, route: { ...planned.route, match: kept } },
    ];
  });
}

/** The routes that a sidecar sees. */
export function routesSeen(routes: readonly PlannedRoute[], sight: Sight): PlannedRoute[] {
  return routesWith(routes, (match) => {
    const isHere = match.gateways === undefined || match.gateways.length === 0 || match.gateways.includes(meshGateway);
    const isFrom = match.sourceNamespace === undefined || match.sourceNamespace === sight.namespace;
    return isHere && isFrom && sight.meets(match.sourceLabels ?? {}) ? match : undefined;
  });
}
