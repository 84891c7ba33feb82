import {
  Cluster_LbPolicy,
  Cluster_RingHashLbConfig_HashFunction,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { ConsistentHash, LoadBalancer, LoadBalancerSettings } from "@fairlead/policy";
import type { ClusterInit } from "./cluster-init.ts";
import { durationOf } from "./durations.ts";
import type { EffectivePolicy } from "./effective-policy.ts";
import { balancerList } from "./balancer-list.ts";
import { localitySetting } from "./locality-balancing.ts";

const lbPolicies: Readonly<Record<LoadBalancer, Cluster_LbPolicy>> = {
  ROUND_ROBIN: Cluster_LbPolicy.ROUND_ROBIN,
  LEAST_REQUEST: Cluster_LbPolicy.LEAST_REQUEST,
  RANDOM: Cluster_LbPolicy.RANDOM,
};

export function slowStart({ warmup, warmupDurationSecs }: LoadBalancerSettings) {
  const window = warmup?.duration ?? warmupDurationSecs;
  if (window === undefined) return undefined;
  return {
    slowStartWindow: durationOf(window),
    ...(warmup?.aggression === undefined
      ? {}
      : { aggression: { defaultValue: warmup.aggression, runtimeKey: "fairlead.slow_start_aggression" } }),
    ...(warmup?.minimumPercent === undefined ? {} : { minWeightPercent: { value: warmup.minimumPercent } }),
  };
}

function hashing(hash: ConsistentHash): ClusterInit {
  if (hash.maglev !== undefined) {
    const { tableSize } = hash.maglev;
    return {
      lbPolicy: Cluster_LbPolicy.MAGLEV,
      ...(tableSize === undefined
        ? {}
        : { lbConfig: { case: "maglevLbConfig", value: { tableSize: BigInt(tableSize) } } }),
    };
  }
  const size = hash.ringHash?.minimumRingSize ?? hash.minimumRingSize;
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    lbConfig: {
      case: "ringHashLbConfig",
      value: {
        hashFunction: Cluster_RingHashLbConfig_HashFunction.XX_HASH,
        ...(size === undefined ? {} : { minimumRingSize: BigInt(size) }),
      },
    },
  };
}

/** Whether localities have weights, in a cluster's own words. */
function commonConfig(policy: EffectivePolicy, isWeighted: boolean): ClusterInit {
  const { outlierDetection } = policy;
  const common = {
    // Istio: fewer healthy instances than that, and all get calls; its default is never.
    ...(outlierDetection === undefined
      ? {}
      : { healthyPanicThreshold: { value: outlierDetection.minHealthPercent ?? 0 } }),
    ...(isWeighted ? { localityConfigSpecifier: { case: "localityWeightedLbConfig" as const, value: {} } } : {}),
  };
  return Object.keys(common).length === 0 ? {} : { commonLbConfig: common };
}

/**
 * How a cluster chooses among its endpoints.
 *
 * @param forGrpc gRPC clients call it, too. They refuse a cluster with a balancer that they do not know, unless it comes in a list: the first
 * that a client knows counts
 */
export function balancing(policy: EffectivePolicy, forGrpc: boolean): ClusterInit {
  const { loadBalancer } = policy;
  const isWeighted = localitySetting(policy) !== undefined;
  const slowStartConfig = loadBalancer === undefined ? undefined : slowStart(loadBalancer);
  if (forGrpc) {
    const listed = balancerList(loadBalancer, slowStartConfig, isWeighted);
    if (listed !== undefined) return { loadBalancingPolicy: listed, ...commonConfig(policy, false) };
  }
  const common = commonConfig(policy, isWeighted);
  if (loadBalancer?.consistentHash !== undefined) return { ...hashing(loadBalancer.consistentHash), ...common };
  const simple = loadBalancer?.simple ?? "ROUND_ROBIN";
  const configCase = simple === "LEAST_REQUEST" ? "leastRequestLbConfig" : "roundRobinLbConfig";
  return {
    lbPolicy: lbPolicies[simple],
    ...(slowStartConfig === undefined ? {} : { lbConfig: { case: configCase, value: { slowStartConfig } } }),
    ...common,
  };
}
