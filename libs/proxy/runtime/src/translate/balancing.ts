import {
  type Cluster,
  type Cluster_CommonLbConfig,
  Cluster_CommonLbConfigSchema,
  Cluster_LbPolicy,
  Cluster_LeastRequestLbConfigSchema,
  Cluster_MaglevLbConfigSchema,
  Cluster_RingHashLbConfig_HashFunction,
  Cluster_RingHashLbConfigSchema,
  Cluster_RoundRobinLbConfigSchema,
  type Cluster_SlowStartConfig,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  type Balancing,
  type BalancerName,
  type ClusterConfig,
  clusterDefaults,
  type SlowStart,
} from "@fairlead/proxy-upstream";
import { readBalancerList } from "./balancer-list.ts";
import { readHashBalance } from "./consistent-hashing.ts";
import { durationMs } from "./duration.ts";
import { isAggregate } from "./aggregate.ts";
import { isOriginalDestination } from "./original-destination.ts";
import { readZoneAware } from "./zone-aware.ts";
import { refuseOthers, rejection } from "./rejection.ts";

const names: Partial<Record<Cluster_LbPolicy, BalancerName>> = {
  [Cluster_LbPolicy.ROUND_ROBIN]: "round_robin",
  [Cluster_LbPolicy.LEAST_REQUEST]: "least_request",
  [Cluster_LbPolicy.RANDOM]: "random",
  [Cluster_LbPolicy.RING_HASH]: "ring_hash",
  [Cluster_LbPolicy.MAGLEV]: "maglev",
};

/** A ring of more points costs more memory and time to build than its evenness is worth. */
const MAX_RING = 8_388_608;
const MAX_TABLE = 5_000_011;

type Common = Pick<ClusterConfig, "healthyPanicPercent" | "localityWeighted" | "zoneAware">;
type Read = Common & Pick<ClusterConfig, "balancing">;

/** @throws FairleadError FL_XDS_REJECTED */
export function readBalancing(message: Cluster): Read {
  if (message.loadBalancingPolicy !== undefined) {
    const { balancer, localityWeighted, zoneAware, hashBalancePercent } = readBalancerList(message.loadBalancingPolicy);
    const name = names[balancer.lbPolicy]!;
    return {
      balancing: { ...clusterDefaults.balancing, name, ...readOptions(balancer), hashBalancePercent },
      ...readCommon(message.commonLbConfig),
      localityWeighted,
      zoneAware,
    };
  }
  const name = isOriginalDestination(message) || isAggregate(message) ? "round_robin" : names[message.lbPolicy];
  if (name === undefined) {
    throw rejection(
      "lb_policy",
      `${Cluster_LbPolicy[message.lbPolicy]} is not supported; ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH and MAGLEV are`,
    );
  }
  const hashBalancePercent = readHashBalance(
    message.commonLbConfig?.consistentHashingLbConfig,
    "common_lb_config.consistent_hashing_lb_config.",
  );
  return {
    balancing: { ...clusterDefaults.balancing, name, ...readOptions(message), hashBalancePercent },
    ...readCommon(message.commonLbConfig),
  };
}

function readOptions(message: Pick<Cluster, "lbConfig">): Partial<Balancing> {
  const { lbConfig } = message;
  switch (lbConfig.case) {
    case "leastRequestLbConfig": {
      const where = "least_request_lb_config.";
      refuseOthers(Cluster_LeastRequestLbConfigSchema, lbConfig.value, where, [
        "choice_count",
        "active_request_bias",
        "slow_start_config",
      ]);
      const choiceCount = lbConfig.value.choiceCount ?? clusterDefaults.balancing.choiceCount;
      if (choiceCount < 2) throw rejection(`${where}choice_count`, "is less than 2");
      const activeRequestBias = lbConfig.value.activeRequestBias?.defaultValue ?? 1;
      if (activeRequestBias < 0) throw rejection(`${where}active_request_bias`, "is negative");
      return { choiceCount, activeRequestBias, slowStart: readSlowStart(lbConfig.value.slowStartConfig, where) };
    }
    case "roundRobinLbConfig":
      refuseOthers(Cluster_RoundRobinLbConfigSchema, lbConfig.value, "round_robin_lb_config.", ["slow_start_config"]);
      return { slowStart: readSlowStart(lbConfig.value.slowStartConfig, "round_robin_lb_config.") };
    case "ringHashLbConfig": {
      const where = "ring_hash_lb_config.";
      refuseOthers(Cluster_RingHashLbConfigSchema, lbConfig.value, where, [
        "minimum_ring_size",
        "maximum_ring_size",
        "hash_function",
      ]);
      if (lbConfig.value.hashFunction !== Cluster_RingHashLbConfig_HashFunction.XX_HASH)
        throw rejection(`${where}hash_function`, "MURMUR_HASH_2 is not supported; XX_HASH is");
      const minRingSize = Number(lbConfig.value.minimumRingSize ?? 1024n);
      const maxRingSize = Number(lbConfig.value.maximumRingSize ?? BigInt(MAX_RING));
      if (minRingSize < 1 || minRingSize > maxRingSize || maxRingSize > MAX_RING)
        throw rejection(`${where}minimum_ring_size`, `is not from 1 to maximum_ring_size, at most ${MAX_RING}`);
      return { minRingSize, maxRingSize };
    }
    case "maglevLbConfig": {
      refuseOthers(Cluster_MaglevLbConfigSchema, lbConfig.value, "maglev_lb_config.", ["table_size"]);
      const tableSize = Number(lbConfig.value.tableSize ?? 65_537n);
      if (!isPrime(tableSize) || tableSize > MAX_TABLE)
        throw rejection("maglev_lb_config.table_size", `is not a prime up to ${MAX_TABLE}`);
      return { tableSize };
    }
    default:
      return {};
  }
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}

function readSlowStart(message: Cluster_SlowStartConfig | undefined, where: string): SlowStart | undefined {
  if (message === undefined) return undefined;
  const aggression = message.aggression?.defaultValue ?? 1;
  if (aggression <= 0) throw rejection(`${where}slow_start_config.aggression`, "is not more than 0");
  return {
    windowMs: durationMs(message.slowStartWindow, 0, `${where}slow_start_config.slow_start_window`),
    aggression,
    minWeightPercent: message.minWeightPercent?.value ?? 10,
  };
}

function readCommon(message: Cluster_CommonLbConfig | undefined): Common {
  const { healthyPanicPercent, localityWeighted } = clusterDefaults;
  if (message === undefined) return { healthyPanicPercent, localityWeighted };
  const { localityConfigSpecifier: locality } = message;
  refuseOthers(Cluster_CommonLbConfigSchema, message, "common_lb_config.", [
    "healthy_panic_threshold",
    "locality_weighted_lb_config",
    "zone_aware_lb_config",
    "consistent_hashing_lb_config",
    // Changes are applied at once here.
    "update_merge_window",
    // A new host is never chosen before its first check here.
    "ignore_new_hosts_until_first_hc",
  ]);
  return {
    healthyPanicPercent: message.healthyPanicThreshold?.value ?? healthyPanicPercent,
    localityWeighted: locality.case === "localityWeightedLbConfig",
    zoneAware: locality.case === "zoneAwareLbConfig" ? readZoneAware(locality.value) : undefined,
  };
}
