import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { buckets } from "@fairlead/bus";
import { ConfigPushedSchema } from "@fairlead/fairlead-api";
import { compilerSchema } from "@fairlead/registration";
import { encodeHead, headKey, rejectedKey } from "@fairlead/snapshot";
import { lockNames } from "@fairlead/store";
import { RegistryUnderTest } from "./registry-under-test.ts";

let registry: RegistryUnderTest;
before(async () => {
  registry = await RegistryUnderTest.start();
});
after(async () => {
  await registry?.stop();
  await registry?.postgres.stop();
});

const routes = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [shop.Reviews]
  http:
    - route: [{ destination: { host: shop.Reviews } }]
`;
const read = async () => compilerSchema.parse((await registry.call("GET", "/v1/compiler")).body);

test("without a compiler it says so, and what it would not take", async () => {
  const stored = await registry.call("PUT", "/v1/policies?file=reviews.yaml", routes, "application/yaml");
  const { active, activeForMs, compiled, revision, rejected } = await read();
  assert.deepEqual([active, activeForMs, compiled, revision], [false, undefined, undefined, stored.body.revision]);
  assert.deepEqual(
    rejected?.map(({ key, file, line, code }) => [key, file, line, code]),
    [["VirtualService/default/reviews", "reviews.yaml", 1, "FL_POLICY_DESTINATION_UNKNOWN"]],
  );
});

test("an active one is known by its lock, its work by the last commit", async () => {
  const lock = await registry.store.tryLock(lockNames.compiler);
  const head = encodeHead({ revision: 1, traceparent: undefined, compiledAtMs: 1234, compilerId: "host-1" });
  await (await registry.bus.keyValue(buckets.xds)).put(headKey, head);
  const { active, activeForMs, compiled } = await read();
  assert.ok(active && (activeForMs ?? -1) >= 0);
  assert.deepEqual(compiled, { compiler: "host-1", revision: 1, atMs: 1234 });
  await lock?.release();
  assert.equal((await read()).active, false);
});

test("what an active one has said that it rejects is not found out again; without one it is, where the commit is old", async () => {
  const bucket = await registry.bus.keyValue(buckets.xds);
  const object = { kind: "policy", key: "VirtualService/default/other", file: "o.yaml", line: 7 };
  const message = create(ConfigPushedSchema, { rejected: [{ object, code: "FL_X", message: "no" }] });
  await bucket.put(rejectedKey, toBinary(ConfigPushedSchema, message));
  const lock = await registry.store.tryLock(lockNames.compiler);
  const { rejected, rejectedRevision } = await read();
  assert.deepEqual([rejected, rejectedRevision], [[{ ...object, code: "FL_X", message: "no" }], 1]);
  await lock?.release();
  const old = encodeHead({ revision: 0, traceparent: undefined, compiledAtMs: 1, compilerId: "host-1" });
  await bucket.put(headKey, old);
  assert.deepEqual(
    (await read()).rejected?.map(({ key }) => key),
    ["VirtualService/default/reviews"],
  );
});
