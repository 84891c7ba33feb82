import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Cluster, Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterConfigSchema } from "@fairlead/envoy-api/envoy/extensions/clusters/aggregate/v3/cluster_pb.js";
import { rejection } from "./rejection.ts";

/** Other clusters are balanced, each by its own policy. */
export function isAggregate({ clusterDiscoveryType, lbPolicy }: Cluster): boolean {
  return clusterDiscoveryType.case === "clusterType" && lbPolicy === Cluster_LbPolicy.CLUSTER_PROVIDED;
}

/** @returns the names of the clusters that it has the hosts of; undefined for another kind. @throws FairleadError FL_XDS_REJECTED */
export function readAggregate({ name, clusterDiscoveryType, lbPolicy }: Cluster): readonly string[] | undefined {
  if (clusterDiscoveryType.case !== "clusterType") return undefined;
  const { typedConfig } = clusterDiscoveryType.value;
  const message = typedConfig === undefined ? undefined : anyUnpack(typedConfig, ClusterConfigSchema);
  if (message === undefined)
    throw rejection(
      "cluster_type",
      `${typedConfig?.typeUrl ?? "without typed_config"} is not supported; an aggregate is`,
    );
  if (lbPolicy !== Cluster_LbPolicy.CLUSTER_PROVIDED)
    throw rejection("lb_policy", "is CLUSTER_PROVIDED in an aggregate cluster");
  const { clusters } = message;
  if (clusters.length === 0) throw rejection("cluster_type.typed_config.clusters", "is empty");
  if (clusters.includes(name)) throw rejection("cluster_type.typed_config.clusters", "has the cluster itself");
  return clusters;
}
