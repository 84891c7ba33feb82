import {
  type TcpProxy,
  TcpProxySchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { connectionManagerDefaults, type TcpProxyConfig } from "@fairlead/proxy-filter";
import { durationMs } from "./duration.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readMetadataMatch } from "./subsets.ts";

const DEFAULT_IDLE_MS = 3_600_000;

/** @throws FairleadError FL_XDS_REJECTED */
export function readTcpProxy(message: TcpProxy | undefined, where: string): TcpProxyConfig {
  if (message === undefined) throw rejection(where, "is missing");
  refuseOthers(TcpProxySchema, message, where, [
    "stat_prefix",
    "cluster",
    "weighted_clusters",
    "idle_timeout",
    "max_connect_attempts",
    "hash_policy",
    "metadata_match",
    "access_log",
    "max_downstream_connection_duration",
  ]);
  const { clusterSpecifier } = message;
  const subset = readMetadataMatch(message.metadataMatch, `${where}metadata_match`);
  const clusters =
    clusterSpecifier.case === "cluster"
      ? [{ name: clusterSpecifier.value, weight: 1, subset }]
      : (clusterSpecifier.value?.clusters ?? []).map(({ name, weight, metadataMatch }, i) => ({
          name,
          weight,
          subset: readMetadataMatch(metadataMatch, `${where}weighted_clusters.clusters[${i}].metadata_match`, subset),
        }));
  if (clusters.reduce((sum, { weight }) => sum + weight, 0) === 0)
    throw rejection(where, "has neither cluster nor weighted_clusters with a weight");
  return {
    statPrefix: message.statPrefix,
    clusters,
    idleTimeoutMs: durationMs(message.idleTimeout, DEFAULT_IDLE_MS, `${where}idle_timeout`),
    maxDurationMs: durationMs(message.maxDownstreamConnectionDuration, 0, `${where}max_downstream_connection_duration`),
    hashesSource: hashesSource(message, where),
    highWatermarkBytes: connectionManagerDefaults.highWatermarkBytes,
    maxConnectAttempts: Math.max(message.maxConnectAttempts ?? 1, 1),
  };
}

/** There is nothing else of a connection to hash by than where it comes from. */
function hashesSource({ hashPolicy }: TcpProxy, where: string): boolean {
  for (const [i, { policySpecifier }] of hashPolicy.entries())
    if (policySpecifier.case !== "sourceIp")
      throw rejection(
        `${where}hash_policy[${i}]`,
        `${policySpecifier.case ?? "nothing"} is not supported; source_ip is`,
      );
  return hashPolicy.length > 0;
}
