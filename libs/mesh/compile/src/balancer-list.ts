import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { LoadBalancingPolicySchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { SlowStartConfigSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/common/v3/common_pb.js";
import { LeastRequestSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import { RoundRobinSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import type { LoadBalancerSettings } from "@fairlead/policy";

type SlowStart = MessageInitShape<typeof SlowStartConfigSchema>;

function listed<Desc extends DescMessage>(name: string, schema: Desc, config: MessageInitShape<Desc>) {
  const typedConfig = anyPack(schema, create(schema, config));
  return { typedExtensionConfig: { name: `envoy.load_balancing_policies.${name}`, typedConfig } };
}

/** The balancer that was asked for, for proxies, and the one that gRPC clients have instead. */
function listOf(first: ReturnType<typeof listed>): MessageInitShape<typeof LoadBalancingPolicySchema> {
  return { policies: [first, listed("round_robin", RoundRobinSchema, {})] };
}

/**
 * Balancers that not every gRPC client knows, as a list of which each takes the first that it knows (A52).
 *
 * @param isWeighted whether localities have weights
 * @returns undefined for those that all know
 */
export function balancerList(
  loadBalancer: LoadBalancerSettings | undefined,
  slowStartConfig: SlowStart | undefined,
  isWeighted: boolean,
): MessageInitShape<typeof LoadBalancingPolicySchema> | undefined {
  const localityLbConfig = {
    localityConfigSpecifier: { case: "localityWeightedLbConfig" as const, value: {} },
  };
  const weights = isWeighted ? { localityLbConfig } : {};
  const maglev = loadBalancer?.consistentHash?.maglev;
  if (maglev !== undefined) {
    return listOf(
      listed("maglev", MaglevSchema, {
        ...(maglev.tableSize === undefined ? {} : { tableSize: BigInt(maglev.tableSize) }),
        ...(isWeighted ? { localityWeightedLbConfig: {} } : {}),
      }),
    );
  }
  switch (loadBalancer?.simple) {
    case "LEAST_REQUEST":
      return listOf(
        listed("least_request", LeastRequestSchema, {
          ...weights,
          ...(slowStartConfig === undefined ? {} : { slowStartConfig }),
        }),
      );
    case "RANDOM":
      return listOf(listed("random", RandomSchema, weights));
    default:
      return undefined;
  }
}
