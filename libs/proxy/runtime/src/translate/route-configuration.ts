import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { type RouteSpec, RouteTable, type VirtualHostSpec } from "@fairlead/proxy-router";
import { mutationFields, readMutations } from "./header-mutations.ts";
import { readRouteMatch } from "./matchers.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readRetryPolicy } from "./retry-policy.ts";
import { readAction } from "./route-action.ts";

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readRouteConfiguration(message: RouteConfiguration, where = ""): RouteTable {
  // Clusters may come after their routes, so that validate_clusters has nothing to look at.
  refuseOthers(RouteConfigurationSchema, message, where, [
    "name",
    "virtual_hosts",
    "ignore_port_in_host_matching",
    "most_specific_header_mutations_wins",
    "metadata",
    ...mutationFields,
    ...(message.validateClusters === false ? ["validate_clusters"] : []),
  ]);
  return new RouteTable({
    name: message.name,
    virtualHosts: message.virtualHosts.map((host, i) => readVirtualHost(host, `${where}virtual_hosts[${i}]`)),
    ignorePort: message.ignorePortInHostMatching,
    mutations: readMutations(message, where),
    mostSpecificMutationsWin: message.mostSpecificHeaderMutationsWins,
  });
}

function readVirtualHost(message: VirtualHost, where: string): VirtualHostSpec {
  refuseOthers(VirtualHostSchema, message, `${where}.`, [
    "name",
    "domains",
    "routes",
    "require_tls",
    "include_request_attempt_count",
    "retry_policy",
    "metadata",
    ...mutationFields,
  ]);
  if (message.requireTls !== VirtualHost_TlsRequirementType.NONE)
    throw rejection(`${where}.require_tls`, "is not supported");
  const retry = readRetryPolicy(message.retryPolicy, `${where}.retry_policy`);
  return {
    name: message.name,
    domains: message.domains,
    routes: message.routes.map((route, i) => readRoute(route, `${where}.routes[${i}]`)),
    mutations: readMutations(message, `${where}.`),
    includeAttemptCount: message.includeRequestAttemptCount,
    ...(retry === undefined ? {} : { retry }),
  };
}

function readRoute(message: Route, where: string): RouteSpec {
  refuseOthers(RouteSchema, message, `${where}.`, [
    "name",
    "match",
    "route",
    "redirect",
    "direct_response",
    "metadata",
    "decorator",
    "stat_prefix",
    ...mutationFields,
  ]);
  return {
    name: message.name,
    match: readRouteMatch(message.match, `${where}.match`),
    action: readAction(message, where),
    mutations: readMutations(message, `${where}.`),
  };
}
