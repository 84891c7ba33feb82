import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_LbPolicy,
  ClusterSchema,
  type LoadBalancingPolicy,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  type LocalityLbConfig,
  LocalityLbConfigSchema,
  type SlowStartConfig,
} from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/common/v3/common_pb.js";
import { LeastRequestSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import {
  RingHash_HashFunction,
  RingHashSchema,
} from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import type { ZoneAwareRouting } from "@fairlead/proxy-upstream";
import { readZoneAware } from "./zone-aware.ts";
import { readHashBalance } from "./consistent-hashing.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** What `lb_policy` and its configuration would say. */
export interface ListedBalancer {
  readonly balancer: Pick<Cluster, "lbPolicy" | "lbConfig">;
  readonly localityWeighted: boolean;
  readonly zoneAware: ZoneAwareRouting | undefined;
  readonly hashBalancePercent: number | undefined;
}

type Read = (any: Any, where: string) => ListedBalancer;

function known<Desc extends DescMessage>(
  schema: Desc,
  fields: readonly string[],
  read: (
    config: NonNullable<ReturnType<typeof anyUnpack<Desc>>>,
    where: string,
  ) => {
    readonly cluster: MessageInitShape<typeof ClusterSchema>;
    readonly localityWeighted: boolean;
    readonly zoneAware?: ZoneAwareRouting | undefined;
    readonly hashBalancePercent?: number | undefined;
  },
): readonly [string, Read] {
  return [
    schema.typeName,
    (any, where) => {
      const config = anyUnpack(any, schema)!;
      refuseOthers(schema, config, where, fields);
      const { cluster, localityWeighted, zoneAware, hashBalancePercent } = read(config, where);
      return { balancer: create(ClusterSchema, cluster), localityWeighted, zoneAware, hashBalancePercent };
    },
  ];
}

function ofLocalities(
  message: LocalityLbConfig | undefined,
  where: string,
): Pick<ListedBalancer, "localityWeighted" | "zoneAware"> {
  const field = `${where}locality_lb_config.`;
  const { localityConfigSpecifier: locality } = message ?? {};
  if (message !== undefined)
    refuseOthers(LocalityLbConfigSchema, message, field, ["locality_weighted_lb_config", "zone_aware_lb_config"]);
  return {
    localityWeighted: locality?.case === "localityWeightedLbConfig",
    zoneAware: locality?.case === "zoneAwareLbConfig" ? readZoneAware(locality.value) : undefined,
  };
}

function slowStart(message: SlowStartConfig | undefined) {
  if (message === undefined) return {};
  const { slowStartWindow, aggression, minWeightPercent } = message;
  return {
    slowStartConfig: {
      ...(slowStartWindow === undefined ? {} : { slowStartWindow }),
      ...(aggression === undefined ? {} : { aggression }),
      ...(minWeightPercent === undefined ? {} : { minWeightPercent }),
    },
  };
}

const balancers: ReadonlyMap<string, Read> = new Map([
  known(RoundRobinSchema, ["slow_start_config", "locality_lb_config"], (config, where) => ({
    cluster: {
      lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
      lbConfig: { case: "roundRobinLbConfig", value: slowStart(config.slowStartConfig) },
    },
    ...ofLocalities(config.localityLbConfig, where),
  })),
  known(
    LeastRequestSchema,
    ["choice_count", "active_request_bias", "slow_start_config", "locality_lb_config"],
    (config, where) => ({
      cluster: {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        lbConfig: {
          case: "leastRequestLbConfig",
          value: {
            ...(config.choiceCount === undefined ? {} : { choiceCount: config.choiceCount }),
            ...(config.activeRequestBias === undefined ? {} : { activeRequestBias: config.activeRequestBias }),
            ...slowStart(config.slowStartConfig),
          },
        },
      },
      ...ofLocalities(config.localityLbConfig, where),
    }),
  ),
  known(RandomSchema, ["locality_lb_config"], (config, where) => ({
    cluster: { lbPolicy: Cluster_LbPolicy.RANDOM },
    ...ofLocalities(config.localityLbConfig, where),
  })),
  known(
    RingHashSchema,
    [
      "hash_function",
      "minimum_ring_size",
      "maximum_ring_size",
      "hash_balance_factor",
      "consistent_hashing_lb_config",
      "locality_weighted_lb_config",
    ],
    (config, where) => {
      // As in Envoy the hash function that is not said is the default one.
      if (config.hashFunction === RingHash_HashFunction.MURMUR_HASH_2)
        throw rejection(`${where}hash_function`, "MURMUR_HASH_2 is not supported; XX_HASH is");
      const { minimumRingSize, maximumRingSize, consistentHashingLbConfig } = config;
      return {
        cluster: {
          lbPolicy: Cluster_LbPolicy.RING_HASH,
          lbConfig: {
            case: "ringHashLbConfig",
            value: {
              ...(minimumRingSize === undefined ? {} : { minimumRingSize }),
              ...(maximumRingSize === undefined ? {} : { maximumRingSize }),
            },
          },
        },
        localityWeighted: config.localityWeightedLbConfig !== undefined,
        hashBalancePercent:
          consistentHashingLbConfig === undefined
            ? readHashBalance(config, where)
            : readHashBalance(consistentHashingLbConfig, `${where}consistent_hashing_lb_config.`),
      };
    },
  ),
  known(
    MaglevSchema,
    ["table_size", "consistent_hashing_lb_config", "locality_weighted_lb_config"],
    (config, where) => ({
      cluster: {
        lbPolicy: Cluster_LbPolicy.MAGLEV,
        lbConfig: {
          case: "maglevLbConfig",
          value: config.tableSize === undefined ? {} : { tableSize: config.tableSize },
        },
      },
      localityWeighted: config.localityWeightedLbConfig !== undefined,
      hashBalancePercent: readHashBalance(config.consistentHashingLbConfig, `${where}consistent_hashing_lb_config.`),
    }),
  ),
]);

/** The first of the list that this proxy knows counts, as the API asks. @throws FairleadError FL_XDS_REJECTED */
export function readBalancerList({ policies }: LoadBalancingPolicy): ListedBalancer {
  for (const [index, { typedExtensionConfig }] of policies.entries()) {
    const any = typedExtensionConfig?.typedConfig;
    const read = any === undefined ? undefined : balancers.get(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
    if (any !== undefined && read !== undefined) return read(any, `load_balancing_policy.policies[${index}].`);
  }
  throw rejection("load_balancing_policy", `has none of ${[...balancers.keys()].join(", ")}`);
}
