import {
  type Route,
  type RouteAction_RequestMirrorPolicy,
  RouteSchema,
  type VirtualCluster,
  VirtualClusterSchema,
  type VirtualHost,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import {
  type MirrorPolicy,
  type RouteSpec,
  RouteTable,
  type VirtualClusterSpec,
  type VirtualHostSpec,
} from "@fairlead/proxy-router";
import { readFilterOverrides } from "./filter-overrides.ts";
import { mutationFields, readMutations } from "./header-mutations.ts";
import { readHeader, readRouteMatch } from "./matchers.ts";
import { readMirrorPolicy } from "./mirror-policy.ts";
import { readRateLimits } from "./rate-limits.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readRetryPolicy } from "./retry-policy.ts";
import { readAction } from "./route-action.ts";

/** Envoy's limits for a response in the configuration: unless the table says otherwise, and at most (Istio's). */
const DEFAULT_MAX_BODY_BYTES = 4096;
const LARGEST_BODY_BYTES = 1024 * 1024;

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readRouteConfiguration(message: RouteConfiguration, where = ""): RouteTable {
  // Clusters may come after their routes, so that validate_clusters has nothing to look at.
  refuseOthers(RouteConfigurationSchema, message, where, [
    "name",
    "virtual_hosts",
    "ignore_port_in_host_matching",
    "most_specific_header_mutations_wins",
    "metadata",
    "max_direct_response_body_size_bytes",
    "typed_per_filter_config",
    "internal_only_headers",
    "request_mirror_policies",
    ...mutationFields,
    ...(message.validateClusters === false ? ["validate_clusters"] : []),
  ]);
  const maxBodyBytes = Math.min(message.maxDirectResponseBodySizeBytes ?? DEFAULT_MAX_BODY_BYTES, LARGEST_BODY_BYTES);
  return new RouteTable({
    name: message.name,
    virtualHosts: message.virtualHosts.map((host, i) =>
      readVirtualHost(host, `${where}virtual_hosts[${i}]`, maxBodyBytes),
    ),
    filters: readFilterOverrides(message.typedPerFilterConfig, where),
    ignorePort: message.ignorePortInHostMatching,
    mutations: readMutations(message, where),
    internalOnlyHeaders: message.internalOnlyHeaders.map((name) => name.toLowerCase()),
    mirrors: readMirrors(message.requestMirrorPolicies, where),
    mostSpecificMutationsWin: message.mostSpecificHeaderMutationsWins,
  });
}

function readVirtualHost(message: VirtualHost, where: string, maxBodyBytes: number): VirtualHostSpec {
  refuseOthers(VirtualHostSchema, message, `${where}.`, [
    "name",
    "domains",
    "routes",
    "require_tls",
    "include_request_attempt_count",
    "include_attempt_count_in_response",
    "typed_per_filter_config",
    "retry_policy",
    "include_is_timeout_retry_header",
    "per_request_buffer_limit_bytes",
    "request_mirror_policies",
    "rate_limits",
    "virtual_clusters",
    "metadata",
    ...mutationFields,
  ]);
  if (message.requireTls === VirtualHost_TlsRequirementType.EXTERNAL_ONLY)
    throw rejection(`${where}.require_tls`, "EXTERNAL_ONLY is not supported by this proxy; NONE and ALL are");
  const retry = readRetryPolicy(message.retryPolicy, `${where}.retry_policy`);
  return {
    name: message.name,
    domains: message.domains,
    routes: message.routes.map((route, i) => readRoute(route, `${where}.routes[${i}]`, maxBodyBytes)),
    mutations: readMutations(message, `${where}.`),
    filters: readFilterOverrides(message.typedPerFilterConfig, `${where}.`),
    requireTls: message.requireTls === VirtualHost_TlsRequirementType.ALL,
    includeAttemptCount: message.includeRequestAttemptCount,
    includeAttemptCountInResponse: message.includeAttemptCountInResponse,
    includeTimeoutRetry: message.includeIsTimeoutRetryHeader,
    bufferLimitBytes: message.perRequestBufferLimitBytes,
    mirrors: readMirrors(message.requestMirrorPolicies, `${where}.`),
    rateLimits: readRateLimits(message.rateLimits, `${where}.rate_limits`),
    metadata: message.metadata?.filterMetadata,
    virtualClusters: message.virtualClusters.map((it, i) => readVirtualCluster(it, `${where}.virtual_clusters[${i}]`)),
    ...(retry === undefined ? {} : { retry }),
  };
}

function readVirtualCluster(message: VirtualCluster, where: string): VirtualClusterSpec {
  refuseOthers(VirtualClusterSchema, message, `${where}.`, ["name", "headers"]);
  if (message.name === "") throw rejection(`${where}.name`, "is empty");
  if (message.headers.length === 0) throw rejection(`${where}.headers`, "is empty");
  return { name: message.name, headers: message.headers.map((it, i) => readHeader(it, `${where}.headers[${i}]`)) };
}

function readMirrors(messages: readonly RouteAction_RequestMirrorPolicy[], where: string): MirrorPolicy[] {
  return messages.map((mirror, i) => readMirrorPolicy(mirror, `${where}request_mirror_policies[${i}]`));
}

function readRoute(message: Route, where: string, maxBodyBytes: number): RouteSpec {
  refuseOthers(RouteSchema, message, `${where}.`, [
    "name",
    "match",
    "route",
    "redirect",
    "direct_response",
    "metadata",
    "decorator",
    "stat_prefix",
    "per_request_buffer_limit_bytes",
    "typed_per_filter_config",
    ...mutationFields,
  ]);
  return {
    name: message.name,
    match: readRouteMatch(message.match, `${where}.match`),
    action: readAction(message, where, maxBodyBytes),
    bufferLimitBytes: message.perRequestBufferLimitBytes,
    filters: readFilterOverrides(message.typedPerFilterConfig, `${where}.`),
    mutations: readMutations(message, `${where}.`),
    metadata: message.metadata?.filterMetadata,
  };
}
