import assert from "node:assert/strict";
import { after, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { buckets, InProcessBus } from "@fairlead/bus";
import { typeUrls } from "@fairlead/envoy-api";
import { PolicyInForceSchema } from "@fairlead/fairlead-api";
import { createLogger } from "@fairlead/logging";
import {
  bucketKeyOf,
  encodeHead,
  encodeResource,
  encodeScope,
  everythingScope,
  headKey,
  policyBucketKeyOf,
} from "@fairlead/snapshot";
import { until } from "@fairlead/testing-basics";
import { LiveConfig, type LiveConfigOptions } from "./live-config.ts";

const bus = new InProcessBus();
const made: LiveConfig[] = [];
function follow(options: Partial<LiveConfigOptions> = {}): LiveConfig {
  const live = new LiveConfig({
    bus,
    logger: createLogger({ service: "test", level: "silent" }),
    timeoutMs: 50,
    ...options,
  });
  made.push(live);
  return live;
}
after(async () => {
  await Promise.all(made.map((live) => live.stop()));
  await bus.close();
});

async function commit(revision: number, version: string): Promise<void> {
  const bucket = await bus.keyValue(buckets.xds);
  const resource = {
    key: "rds/a",
    typeUrl: typeUrls.route,
    name: "outbound",
    version,
    revision,
    body: new Uint8Array(),
    onDemand: false,
    provenance: [],
  };
  await bucket.put(bucketKeyOf("resource", "rds/a"), encodeResource(resource));
  await bucket.put(
    bucketKeyOf("scope", everythingScope),
    encodeScope({ id: everythingScope, keys: new Set(["rds/a"]) }, revision),
  );
  await bucket.put(headKey, encodeHead({ revision, traceparent: undefined, compiledAtMs: 1, compilerId: "c" }));
}

test("before anything was compiled it is not known; then it is what gateways serve, and follows it", async () => {
  const live = follow();
  await assert.rejects(live.replica(), { code: "FL_CONFIG_NOT_KNOWN" });
  await commit(1, "one");
  assert.equal((await live.replica()).viewOf("n").get(typeUrls.route, "outbound")?.version, "one");
  await commit(2, "two");
  const replica = await live.replica();
  await until("the second commit", () => replica.revision === 2);
  assert.equal(replica.viewOf("n").get(typeUrls.route, "outbound")?.version, "two");
});

test("the policies that the compiler goes by", async () => {
  const live = follow();
  const bucket = await bus.keyValue(buckets.xds);
  const policy = {
    kind: "VirtualService",
    namespace: "default",
    name: "reviews",
    file: "a.yaml",
    line: 3,
    text: "old",
  };
  const key = policyBucketKeyOf("VirtualService/default/reviews");
  await bucket.put(key, toBinary(PolicyInForceSchema, create(PolicyInForceSchema, policy)));
  await bucket.put(
    policyBucketKeyOf("X/default/later"),
    toBinary(PolicyInForceSchema, create(PolicyInForceSchema, { ...policy, kind: "X" })),
  );
  assert.deepEqual([...(await live.policiesInForce())], [["VirtualService/default/reviews", policy]]);
  await bucket.delete(key);
  await until("it is gone", async () => (await live.policiesInForce()).size === 0);
});

test("it is let go when nobody asks, and followed again when somebody does", async () => {
  const live = follow();
  const first = await live.replica();
  await live.stop();
  await commit(3, "three");
  assert.equal(first.revision, 2, "not followed any more");
  assert.equal((await live.replica()).revision, 3);
});
