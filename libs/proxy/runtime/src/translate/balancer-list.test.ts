import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { LeastRequestSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RingHashSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "@fairlead/envoy-api/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { readBalancing } from "./balancing.ts";

function listed<Desc extends DescMessage>(schema: Desc, config: MessageInitShape<Desc>) {
  return { typedExtensionConfig: { name: "x", typedConfig: anyPack(schema, create(schema, config)) } };
}
const unknown = { typedExtensionConfig: { name: "x", typedConfig: { typeUrl: "type.googleapis.com/no.Such" } } };
const read = (...policies: readonly (ReturnType<typeof listed> | typeof unknown)[]) =>
  readBalancing(create(ClusterSchema, { loadBalancingPolicy: { policies: [...policies] } }));

test("the first balancer of a list that is known counts, with its settings", () => {
  const slowStartConfig = { slowStartWindow: { seconds: 60n } };
  const first = read(
    unknown,
    listed(LeastRequestSchema, { choiceCount: 3, slowStartConfig }),
    listed(RoundRobinSchema, {}),
  );
  assert.deepEqual(
    [first.balancing.name, first.balancing.choiceCount, first.balancing.slowStart?.windowMs, first.localityWeighted],
    ["least_request", 3, 60_000, false],
  );
  assert.equal(read(unknown, listed(RoundRobinSchema, {})).balancing.name, "round_robin");
});

test("weights of localities are said by the balancer", () => {
  const maglev = read(listed(MaglevSchema, { tableSize: 251n, localityWeightedLbConfig: {} }));
  assert.deepEqual([maglev.balancing.name, maglev.balancing.tableSize, maglev.localityWeighted], ["maglev", 251, true]);
});

test("how much of the average load a host may have is said by the balancer, or for all", () => {
  const ring = read(listed(RingHashSchema, { minimumRingSize: 64n, hashBalanceFactor: 150 })).balancing;
  assert.deepEqual([ring.name, ring.minRingSize, ring.hashBalancePercent], ["ring_hash", 64, 150]);
  const maglev = read(listed(MaglevSchema, { consistentHashingLbConfig: { hashBalanceFactor: 120 } })).balancing;
  assert.deepEqual([maglev.name, maglev.hashBalancePercent], ["maglev", 120]);
  const common = { consistentHashingLbConfig: { hashBalanceFactor: 130 } };
  assert.equal(readBalancing(create(ClusterSchema, { commonLbConfig: common })).balancing.hashBalancePercent, 130);
});

test("requests stay in their zone where the balancer, or the cluster, says so", () => {
  const localityConfigSpecifier = { case: "zoneAwareLbConfig", value: { minClusterSize: 2n } } as const;
  const expected = { routingPercent: 100, minClusterSize: 2, failsOnPanic: false };
  assert.deepEqual(
    read(listed(RoundRobinSchema, { localityLbConfig: { localityConfigSpecifier } })).zoneAware,
    expected,
  );
  const commonLbConfig = {
    localityConfigSpecifier: {
      case: "zoneAwareLbConfig",
      value: { routingEnabled: { value: 30 }, failTrafficOnPanic: true },
    },
  } as const;
  assert.deepEqual(readBalancing(create(ClusterSchema, { commonLbConfig })).zoneAware, {
    routingPercent: 30,
    minClusterSize: 6,
    failsOnPanic: true,
  });
});

test("a list without one that is known, or with a setting that is not, is refused", () => {
  assert.throws(() => read(unknown), { message: /^load_balancing_policy: has none of .*LeastRequest/ });
  assert.throws(() => read(), { message: /^load_balancing_policy: has none of/ });
  assert.throws(() => read(listed(MaglevSchema, { consistentHashingLbConfig: { hashBalanceFactor: 99 } })), {
    message:
      /^load_balancing_policy\.policies\[0\]\.consistent_hashing_lb_config\.hash_balance_factor: is less than 100/,
  });
  assert.throws(() => read(listed(RingHashSchema, { useHostnameForHashing: true })), {
    message: /^load_balancing_policy\.policies\[0\]\.use_hostname_for_hashing: is not supported/,
  });
});
