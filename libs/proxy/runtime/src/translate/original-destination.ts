import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  Cluster_OriginalDstLbConfigSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { OriginalDestination } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { refuseOthers, rejection } from "./rejection.ts";

const DEFAULT_CLEANUP_MS = 5000;

/** Hosts are what connections say: nothing is balanced. */
export function isOriginalDestination({ clusterDiscoveryType, lbPolicy }: Cluster): boolean {
  const { case: kind, value } = clusterDiscoveryType;
  return (
    kind === "type" && value === Cluster_DiscoveryType.ORIGINAL_DST && lbPolicy === Cluster_LbPolicy.CLUSTER_PROVIDED
  );
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readOriginalDestination(message: Cluster): OriginalDestination | undefined {
  const { case: kind, value: type } = message.clusterDiscoveryType;
  const where = "original_dst_lb_config.";
  const { lbConfig } = message;
  if (kind !== "type" || type !== Cluster_DiscoveryType.ORIGINAL_DST) {
    if (lbConfig.case === "originalDstLbConfig")
      throw rejection(where.slice(0, -1), "is for clusters of type ORIGINAL_DST");
    return undefined;
  }
  if (message.lbPolicy !== Cluster_LbPolicy.CLUSTER_PROVIDED)
    throw rejection("lb_policy", "is CLUSTER_PROVIDED in a cluster of type ORIGINAL_DST");
  if (message.loadAssignment !== undefined)
    throw rejection("load_assignment", "is not for a cluster of type ORIGINAL_DST");
  if (message.healthChecks.length > 0)
    throw rejection("health_checks", "is not supported in a cluster of type ORIGINAL_DST: its hosts come and go");
  const cleanupMs = durationMs(message.cleanupInterval, DEFAULT_CLEANUP_MS, "cleanup_interval");
  if (cleanupMs < 1) throw rejection("cleanup_interval", "is less than 1 ms");
  if (lbConfig.case !== "originalDstLbConfig") return { cleanupMs, header: undefined, portOverride: undefined };
  refuseOthers(Cluster_OriginalDstLbConfigSchema, lbConfig.value, where, [
    "use_http_header",
    "http_header_name",
    "upstream_port_override",
  ]);
  const { useHttpHeader, httpHeaderName, upstreamPortOverride: portOverride } = lbConfig.value;
  if (portOverride !== undefined && portOverride > 65_535)
    throw rejection(`${where}upstream_port_override`, "is not a port");
  const name = httpHeaderName === "" ? "x-envoy-original-dst-host" : httpHeaderName.toLowerCase();
  return { cleanupMs, header: useHttpHeader ? name : undefined, portOverride };
}
