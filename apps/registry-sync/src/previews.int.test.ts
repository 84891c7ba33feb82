import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { previewedObjectSchema, previewSchema } from "@fairlead/registration";
import { z } from "zod";
import { node, RegistryUnderTest } from "./registry-under-test.ts";

const answerSchema = z.object({
  revision: z.number(),
  dryRun: z.literal(true),
  objects: z.array(previewedObjectSchema),
  preview: previewSchema,
});

let registry: RegistryUnderTest;
before(async () => {
  registry = await RegistryUnderTest.start();
  const publish = (id: string, version: string) =>
    registry.call("POST", "/pub", {
      service: { interface: "shop.Reviews", port: 8080, version },
      node: node(id, { inboundPort: 15006 }),
    });
  const subscribe = (id: string, name: string) =>
    registry.call("POST", "/sub", { service: { interface: name }, node: node(id, { outboundPort: 15001 }) });
  await publish("reviews-1", "v1");
  await subscribe("web-1", "shop.Reviews");
  await subscribe("cart-1", "shop.Stock");
});
after(async () => {
  await registry?.stop();
  await registry?.postgres.stop();
});

const rule = (version: string) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: shop.Reviews
  subsets:
    - name: v1
      labels: { version: ${version} }
`;
const routes = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [shop.Reviews]
  http:
    - route: [{ destination: { host: shop.Reviews, subset: v2 } }]
`;
const put = (text: string, query = "?file=reviews.yaml&dryRun=true") =>
  registry.call("PUT", `/v1/policies${query}`, text, "application/yaml");

test("a dry run says what would change, for which proxies, and what the compiler would refuse; it changes nothing", async () => {
  const revision = await registry.store.revision();
  const { status, body } = await put(`${rule("v1")}---\n${routes}`);
  assert.equal(status, 200, JSON.stringify(body));
  const { objects, preview, revision: compared } = answerSchema.parse(body);
  assert.equal(compared, revision);
  assert.deepEqual(
    objects.map(({ kind, outcome }) => `${kind} ${outcome}`),
    ["DestinationRule created", "VirtualService created"],
  );
  assert.match(objects[0]!.diff ?? "", /^\+ {2}host: shop\.Reviews$/m);
  assert.deepEqual(
    preview.resources.map(({ change, type, name, audience }) => [change, type, name, preview.audiences[audience]]),
    ["cds", "eds"].map((type) => [
      "added",
      type,
      "outbound|http|v1|shop.Reviews",
      { nodes: ["reviews-1", "web-1"], unregistered: true },
    ]),
  );
  assert.deepEqual(
    preview.rejected.map(({ key, file, line, already }) => ({ key, file, line, already })),
    [{ key: "VirtualService/default/reviews", file: "reviews.yaml", line: 11, already: false }],
  );
  assert.equal(await registry.store.revision(), revision);
});

test("a changed policy is told by the lines of its text; the removal of one by what it takes away", async () => {
  assert.equal((await put(rule("v1"), "?file=reviews.yaml")).status, 200);
  const { objects, preview } = answerSchema.parse((await put(rule("v7"))).body);
  assert.equal(objects[0]!.outcome, "configured");
  assert.match(objects[0]!.diff ?? "", /^-.*version: v1.*\n\+.*version: v7/m);
  assert.deepEqual(
    preview.resources.map(({ change, type }) => `${change} ${type}`),
    ["changed eds"],
  );
  assert.match(preview.resources[0]!.diff ?? "", /^- .*"address": "127\.0\.0\.1"/m);

  const path = "/v1/policies/DestinationRule/default/reviews";
  const removal = answerSchema.parse((await registry.call("DELETE", `${path}?dryRun=true`)).body);
  assert.deepEqual(
    removal.objects.map(({ name, outcome }) => `${name} ${outcome}`),
    ["reviews deleted"],
  );
  assert.deepEqual(
    removal.preview.resources.map(({ change, type }) => `${change} ${type}`),
    ["removed cds", "removed eds"],
  );
  assert.equal((await registry.call("GET", path)).status, 200);
  const missing = await registry.call("DELETE", "/v1/policies/VirtualService/default/none?dryRun=true");
  assert.deepEqual([missing.status, missing.body.code], [404, "FL_NOT_FOUND"]);
});

test("what the parser takes long for does not keep others waiting", async () => {
  const costly = `a: [${"a,".repeat(500_000)}]`;
  const refused = put(costly, "");
  const started = performance.now();
  assert.equal((await registry.call("POST", "/v1/nodes", { node: node("other") })).status, 200);
  const tookMs = performance.now() - started;
  const { status, body } = await refused;
  assert.ok(status === 422, JSON.stringify(body).slice(0, 200));
  assert.ok(tookMs < 1000, `${tookMs} ms`);
});

test("a text of very many lines is refused at once, by its file", async () => {
  const { status, body } = await put(`${rule("v1")}  x: |\n${"\n".repeat(1_000_000)}`, "?file=long.yaml");
  assert.deepEqual([status, body.code], [422, "FL_POLICY_INVALID"]);
  assert.match(body.message ?? "", /^long\.yaml:100001:1 .*100000 lines/);
});
