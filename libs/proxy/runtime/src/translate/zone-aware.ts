import type { Cluster_CommonLbConfig_ZoneAwareLbConfig } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { ZoneAwareRouting } from "@fairlead/proxy-upstream";

/** Of a cluster, or of a balancer: the fields are the same. */
type Message = Pick<
  Cluster_CommonLbConfig_ZoneAwareLbConfig,
  "routingEnabled" | "minClusterSize" | "failTrafficOnPanic"
>;

export function readZoneAware({ routingEnabled, minClusterSize, failTrafficOnPanic }: Message): ZoneAwareRouting {
  return {
    routingPercent: routingEnabled?.value ?? 100,
    minClusterSize: Number(minClusterSize ?? 6n),
    failsOnPanic: failTrafficOnPanic,
  };
}
