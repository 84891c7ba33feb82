import {
  type RouteAction as RouteActionMessage,
  RouteAction_ClusterNotFoundResponseCode,
  RouteAction_MaxStreamDurationSchema,
  RouteActionSchema,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RoutingPriority } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { ForwardAction, HostRewrite, WeightedCluster } from "@fairlead/proxy-router";
import type { MetadataMatch } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { readFilterOverrides } from "./filter-overrides.ts";
import { readHashPolicy } from "./hash-policy.ts";
import { mutationFields, readMutations } from "./header-mutations.ts";
import { readInternalRedirects } from "./internal-redirects.ts";
import { readMirrorPolicy } from "./mirror-policy.ts";
import { readHost, readPathText, readRegexRewrite } from "./path-text.ts";
import { readRateLimits } from "./rate-limits.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readMetadataMatch } from "./subsets.ts";
import { readRetryPolicy } from "./retry-policy.ts";
import { readRouteUpgrades } from "./upgrade-configs.ts";

const DEFAULT_TIMEOUT_MS = 15_000;

/** @throws FairleadError FL_XDS_REJECTED */
export function readForward(message: RouteActionMessage, where: string): ForwardAction {
  refuseOthers(RouteActionSchema, message, where, [
    "cluster",
    "cluster_header",
    "metadata_match",
    "weighted_clusters",
    "cluster_not_found_response_code",
    "prefix_rewrite",
    "regex_rewrite",
    "host_rewrite_literal",
    "auto_host_rewrite",
    "host_rewrite_header",
    "host_rewrite_path_regex",
    "append_x_forwarded_host",
    "timeout",
    "idle_timeout",
    "flush_timeout",
    "max_stream_duration",
    "max_grpc_timeout",
    "grpc_timeout_offset",
    "retry_policy",
    "request_mirror_policies",
    "hash_policy",
    "upgrade_configs",
    "rate_limits",
    "include_vh_rate_limits",
    "internal_redirect_policy",
    // 0-RTT is about HTTP/3.
    "early_data_policy",
    "priority",
  ]);
  const { clusterSpecifier, prefixRewrite, regexRewrite } = message;
  const subset = readMetadataMatch(message.metadataMatch, `${where}metadata_match`);
  return {
    kind: "forward",
    clusters: readClusters(message, where, subset),
    subset,
    weightHeader: readWeightHeader(message),
    clusterHeader: clusterSpecifier.case === "clusterHeader" ? clusterSpecifier.value.toLowerCase() : undefined,
    timeoutMs: durationMs(message.timeout, DEFAULT_TIMEOUT_MS, `${where}timeout`),
    idleTimeoutMs:
      message.idleTimeout === undefined ? undefined : durationMs(message.idleTimeout, 0, `${where}idle_timeout`),
    ...(message.flushTimeout === undefined
      ? {}
      : { flushTimeoutMs: durationMs(message.flushTimeout, 0, `${where}flush_timeout`) }),
    ...readDurations(message, where),
    ...readRouteUpgrades(message.upgradeConfigs, `${where}upgrade_configs`),
    highPriority: message.priority === RoutingPriority.HIGH,
    retry: readRetryPolicy(message.retryPolicy, `${where}retry_policy`),
    prefixRewrite: prefixRewrite === "" ? undefined : readPathText(prefixRewrite, `${where}prefix_rewrite`),
    regexRewrite: regexRewrite === undefined ? undefined : readRegexRewrite(regexRewrite, `${where}regex_rewrite`),
    hostRewrite: readHostRewrite(message, where),
    appendForwardedHost: message.appendXForwardedHost,
    clusterNotFoundStatus: readNotFoundStatus(message.clusterNotFoundResponseCode),
    mirrors: message.requestMirrorPolicies.map((mirror, i) =>
      readMirrorPolicy(mirror, `${where}request_mirror_policies[${i}]`),
    ),
    hashPolicies: message.hashPolicy.map((policy, i) => readHashPolicy(policy, `${where}hash_policy[${i}]`)),
    internalRedirects: readInternalRedirects(message.internalRedirectPolicy, `${where}internal_redirect_policy.`),
    rateLimits: readRateLimits(message.rateLimits, `${where}rate_limits`),
    includesHostRateLimits: message.includeVhRateLimits === true,
  };
}

type Durations = "maxStreamDurationMs" | "maxGrpcTimeoutMs" | "grpcTimeoutOffsetMs";

/** The two older fields are for what `max_stream_duration` says with two of its own. */
function readDurations(message: RouteActionMessage, where: string): Pick<ForwardAction, Durations> {
  const duration = message.maxStreamDuration;
  const field = `${where}max_stream_duration.`;
  if (duration !== undefined)
    refuseOthers(RouteAction_MaxStreamDurationSchema, duration, field, [
      "max_stream_duration",
      "grpc_timeout_header_max",
      "grpc_timeout_header_offset",
    ]);
  const maxGrpc = duration?.grpcTimeoutHeaderMax ?? message.maxGrpcTimeout;
  return {
    maxStreamDurationMs:
      duration?.maxStreamDuration === undefined
        ? undefined
        : durationMs(duration.maxStreamDuration, 0, `${field}max_stream_duration`),
    maxGrpcTimeoutMs: maxGrpc === undefined ? undefined : durationMs(maxGrpc, 0, `${field}grpc_timeout_header_max`),
    grpcTimeoutOffsetMs: durationMs(
      duration?.grpcTimeoutHeaderOffset ?? message.grpcTimeoutOffset,
      0,
      `${field}grpc_timeout_header_offset`,
    ),
  };
}

function readHostRewrite(message: RouteActionMessage, where: string): HostRewrite | undefined {
  const { hostRewriteSpecifier: rewrite } = message;
  switch (rewrite.case) {
    case "hostRewriteLiteral":
      return { kind: "literal", host: readHost(rewrite.value, `${where}host_rewrite_literal`) };
    case "autoHostRewrite":
      return rewrite.value.value ? { kind: "auto" } : undefined;
    case "hostRewriteHeader":
      return { kind: "header", name: rewrite.value.toLowerCase() };
    case "hostRewritePathRegex":
      return { kind: "pathRegex", ...readRegexRewrite(rewrite.value, `${where}host_rewrite_path_regex`) };
    default:
      return undefined;
  }
}

function readWeightHeader({ clusterSpecifier: { case: kind, value } }: RouteActionMessage): string | undefined {
  if (kind !== "weightedClusters" || value.randomValueSpecifier.case !== "headerName") return undefined;
  return value.randomValueSpecifier.value.toLowerCase();
}

function readNotFoundStatus(code: RouteAction_ClusterNotFoundResponseCode): number {
  if (code === RouteAction_ClusterNotFoundResponseCode.NOT_FOUND) return 404;
  return code === RouteAction_ClusterNotFoundResponseCode.INTERNAL_SERVER_ERROR ? 500 : 503;
}

function readClusters(
  message: RouteActionMessage,
  where: string,
  subset: MetadataMatch | undefined,
): WeightedCluster[] {
  const { clusterSpecifier } = message;
  if (clusterSpecifier.case === "cluster") return [{ name: clusterSpecifier.value, weight: 1, subset }];
  if (clusterSpecifier.case === "clusterHeader") return [];
  if (clusterSpecifier.case !== "weightedClusters")
    throw rejection(where, "has none of cluster, cluster_header, weighted_clusters");
  const field = `${where}weighted_clusters.`;
  refuseOthers(WeightedClusterSchema, clusterSpecifier.value, field, [
    "clusters",
    "total_weight",
    "header_name",
    "runtime_key_prefix",
  ]);
  return clusterSpecifier.value.clusters.map((cluster, i) => {
    const at = `${field}clusters[${i}].`;
    refuseOthers(WeightedCluster_ClusterWeightSchema, cluster, at, [
      "name",
      "weight",
      "host_rewrite_literal",
      "typed_per_filter_config",
      "metadata_match",
      ...mutationFields,
    ]);
    const host = cluster.hostRewriteSpecifier;
    const filters = readFilterOverrides(cluster.typedPerFilterConfig, at);
    return {
      name: cluster.name,
      weight: cluster.weight ?? 0,
      subset: readMetadataMatch(cluster.metadataMatch, `${at}metadata_match`, subset),
      hostRewrite:
        host.case === "hostRewriteLiteral"
          ? { kind: "literal" as const, host: readHost(host.value, `${at}host_rewrite_literal`) }
          : undefined,
      mutations: readMutations(cluster, at),
      filters: filters.size === 0 ? undefined : filters,
    };
  });
}
