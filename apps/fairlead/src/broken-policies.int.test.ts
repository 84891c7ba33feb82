import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MeshUnderTest } from "./testing/mesh-under-test.ts";
import { runCommand } from "./testing/run-command.ts";

let mesh: MeshUnderTest;
before(async () => {
  mesh = await MeshUnderTest.start();
});
after(() => mesh?.stop());

const rule = (subset: string) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: shop.Reviews
  subsets: [{ name: ${subset}, labels: { version: ${subset} } }]
`;
const routes = (name: string, host: string, subset: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec:
  hosts: [${host}]
  http: [{ route: [{ destination: { host: shop.Reviews${subset} } }] }]
`;
const subsetOfV1 = ", subset: v1";
const broken =
  /breaks others; .*:\n {2}.*reviews-routes\.yaml:1 VirtualService\/default\/reviews: FL_POLICY_DESTINATION_UNKNOWN/;
const remove = (kind: string, name: string) =>
  runCommand(["delete", kind, name, "--wait", "--timeout", "20s", "--registry", mesh.registryUrl]);

test("apply and delete --wait tell which other policies they break, each time, and only then", async () => {
  await mesh.post("/pub", {
    service: { interface: "shop.Reviews", port: 8080 },
    node: { id: "reviews-1", app: "reviews", address: "127.0.0.1" },
  });
  const applyRule = (subset: string) => mesh.apply("reviews-rule.yaml", rule(subset), "20s");
  assert.equal((await applyRule("v1")).code, 0);
  const routed = await mesh.apply("reviews-routes.yaml", routes("reviews", "shop.Reviews", subsetOfV1), "20s");
  assert.equal(routed.code, 0, routed.err);

  const deleted = await remove("DestinationRule", "reviews");
  assert.equal(deleted.code, 1, deleted.out);
  assert.match(deleted.err, broken);

  const other = await mesh.apply("other.yaml", routes("other", "other.test", ""), "20s");
  assert.equal(other.code, 0, other.err);

  const mended = await applyRule("v1");
  assert.equal(mended.code, 0, mended.err);
  const changed = await applyRule("v2");
  assert.equal(changed.code, 1, changed.out);
  assert.match(changed.err, broken);
  const unchanged = await applyRule("v2");
  assert.equal(unchanged.code, 0, unchanged.err);
  const removed = await remove("VirtualService", "other");
  assert.equal(removed.code, 0, removed.err);
});
