import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Registry } from "@bufbuild/protobuf";
import {
  CatalogueReplica,
  type Instance,
  type MeshNode,
  type PolicyObject,
  policyKey,
  type Service,
} from "@fairlead/model";
import * as fc from "fast-check";
import { parsePolicies } from "@fairlead/policy";
import { envoyMessages } from "../readable/envoy-messages.ts";
import { PreviewCompiler } from "./preview-compiler.ts";

let registry: Registry;
before(async () => {
  registry = await envoyMessages();
});
const limits = { maxDiffChars: 10_000, maxTotalDiffChars: 100_000 };

/** shop.Cart and shop.Reviews in two versions; `web` calls both, `cart` only reviews, `batch` has not said what it calls. */
function shop(): CatalogueReplica {
  const catalogue = new CatalogueReplica();
  let revision = 0;
  const node = (id: string, ports: Partial<MeshNode> = { outboundPort: 15001 }) =>
    catalogue.apply({
      revision: ++revision,
      kind: "node",
      key: id,
      value: { id, app: id, address: "10.0.0.1", labels: {}, ...ports },
    });
  const service = (value: Service) =>
    catalogue.apply({ revision: ++revision, kind: "service", key: `${value.protocol}/${value.interface}`, value });
  const instance = (nodeId: string, name: string, version: string) => {
    const value: Instance = {
      nodeId,
      interface: name,
      protocol: "http",
      port: 80,
      version,
      group: "",
      methods: [],
      labels: { version },
      weight: 100,
      state: "ready",
    };
    catalogue.apply({ revision: ++revision, kind: "instance", key: `${nodeId}|${name}`, value });
  };
  const calls = (nodeId: string, name: string) =>
    catalogue.apply({
      revision: ++revision,
      kind: "subscription",
      key: `${nodeId}|${name}`,
      value: { nodeId, interface: name },
    });
  for (const id of ["web", "cart", "batch"]) node(id);
  service({ interface: "shop.Cart", protocol: "http" });
  service({ interface: "shop.Reviews", protocol: "http" });
  instance("r1", "shop.Reviews", "v1");
  instance("r2", "shop.Reviews", "v2");
  for (const name of ["shop.Cart", "shop.Reviews"]) calls("web", name);
  calls("cart", "shop.Cart");
  return catalogue;
}

const policies = (text: string): readonly PolicyObject[] =>
  parsePolicies(text, { file: "reviews.yaml" }).policies.map(({ object }) => object);
const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: shop.Reviews
  subsets:
    - { name: v1, labels: { version: v1 } }
`;
const routeTo = (subset: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [shop.Reviews]
  http:
    - route: [{ destination: { host: shop.Reviews, subset: ${subset} } }]
`;
const preview = (catalogue: CatalogueReplica, put: readonly PolicyObject[], remove: readonly string[] = []) =>
  new PreviewCompiler().preview(catalogue, { put, remove }, new Map(), registry, limits);

test("a rule's subset adds a cluster for those who see the service, and only for them", () => {
  const { resources, audiences, rejected } = preview(shop(), policies(rule));
  assert.deepEqual(
    resources.map(({ change, type, name }) => `${change} ${type} ${name}`),
    ["added cds outbound|http|v1|shop.Reviews", "added eds outbound|http|v1|shop.Reviews"],
  );
  assert.deepEqual(audiences, [{ nodes: ["batch", "web"], unregistered: true }]);
  assert.deepEqual(rejected, []);
  assert.match(resources[0]!.diff ?? "", /^\+ {2}"name": "outbound\|http\|v1\|shop.Reviews",?$/m);
});

test("a route changes the routes of each scope, with what differs as JSON", () => {
  const catalogue = shop();
  for (const value of policies(rule))
    catalogue.apply({ revision: 100, kind: "policy", key: "DestinationRule/default/reviews", value });
  const { resources, audiences } = preview(catalogue, policies(routeTo("v1")));
  assert.deepEqual(
    resources
      .map(({ change, type, name, audience }) => `${change} ${type} ${name} ${audiences[audience]!.nodes.join(" ")}`)
      .toSorted(),
    ["changed rds outbound batch", "changed rds outbound web"],
  );
  assert.match(resources[0]!.diff ?? "", /^- .*"cluster": "outbound\|http\|\|shop.Reviews"/m);
  assert.match(resources[0]!.diff ?? "", /^\+ .*outbound\|http\|v1\|shop.Reviews/m);
});

test("a route to a service that the caller does not see gives it that service's cluster", () => {
  const toReviews = routeTo("v1").replace("hosts: [shop.Reviews]", "hosts: [shop.Cart]").replace(", subset: v1", "");
  const { resources, audiences } = preview(shop(), policies(toReviews));
  const gained = resources.filter(({ change }) => change === "added");
  assert.deepEqual(
    gained.map(({ type, name, audience }) => [type, name, audiences[audience]]),
    ["cds", "eds"].map((type) => [type, "outbound|http||shop.Reviews", { nodes: ["cart"], unregistered: false }]),
  );
});

test("what the compiler would reject is named with its file and line, and changes nothing", () => {
  const { resources, rejected } = preview(shop(), policies(`# routes\n---\n${routeTo("v9")}`));
  assert.deepEqual(resources, []);
  assert.deepEqual(
    rejected.map(({ key, file, line, code, already }) => [key, file, line, code, already]),
    [["VirtualService/default/reviews", "reviews.yaml", 3, "FL_POLICY_DESTINATION_UNKNOWN", false]],
  );
});

test("to remove a rule that a route needs is a rejection of the route", () => {
  const catalogue = shop();
  for (const value of policies(`${rule}---\n${routeTo("v1")}`))
    catalogue.apply({ revision: 100, kind: "policy", key: `${value.kind}/default/reviews`, value });
  const { rejected } = preview(catalogue, [], ["DestinationRule/default/reviews"]);
  assert.deepEqual(
    rejected.map(({ key }) => key),
    ["VirtualService/default/reviews"],
  );
  const removed = preview(catalogue, [], ["DestinationRule/default/reviews", "VirtualService/default/reviews"]);
  assert.deepEqual(
    [removed.rejected, removed.resources.map(({ change, type }) => `${change} ${type}`)],
    [[], ["removed cds", "removed eds", "changed rds", "changed rds"]],
  );
});

test("diffs end where the answer would be too long, and it says how many are missing", () => {
  const { resources, diffsLeftOut } = new PreviewCompiler().preview(
    shop(),
    { put: policies(rule), remove: [] },
    new Map(),
    registry,
    {
      maxDiffChars: 60,
      maxTotalDiffChars: 20,
    },
  );
  assert.match(resources[0]!.diff ?? "", /… \d+ more lines$/);
  assert.equal(resources[1]!.diff, undefined);
  assert.equal(diffsLeftOut, 1);
});

test("a dry run leaves nothing behind: the next one says what one that begins anew says", () => {
  const texts = [rule, rule.replace("version: v1", "version: v2"), routeTo("v1"), routeTo("v9"), routeTo("v2")].map(
    (text) => policies(text)[0]!,
  );
  const keys = ["DestinationRule/default/reviews", "VirtualService/default/reviews"];
  const step = fc.record({
    // What is really applied or removed before the dry run.
    stored: fc.option(fc.oneof(fc.constantFrom(...texts), fc.constantFrom(...keys)), { nil: undefined }),
    put: fc.subarray(texts, { maxLength: 2 }).filter((put) => new Set(put.map(({ kind }) => kind)).size === put.length),
    remove: fc.subarray(keys),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
      const catalogue = shop();
      const warm = new PreviewCompiler();
      for (const { stored, put, remove } of steps) {
        const revision = catalogue.revision + 1;
        if (typeof stored === "string") catalogue.apply({ revision, kind: "policy", key: stored, value: undefined });
        else if (stored !== undefined)
          catalogue.apply({ revision, kind: "policy", key: policyKey(stored), value: stored });
        const change = { put, remove: remove.filter((key) => !put.some((policy) => policyKey(policy) === key)) };
        // What is in force of a policy that is rejected only one that was there before can know.
        if (new PreviewCompiler().rejected(catalogue).length > 0) return;
        const cold = new PreviewCompiler().preview(catalogue, change, new Map(), registry, limits);
        const again = warm.preview(catalogue, change, new Map(), registry, limits);
        assert.deepEqual(again, cold);
      }
    }),
    { numRuns: 100 },
  );
});

test("of a policy that is rejected, what a dry run said of it is not gone by later", () => {
  const catalogue = shop();
  for (const value of policies(routeTo("v9")))
    catalogue.apply({ revision: 100, kind: "policy", key: policyKey(value), value });
  const mended = policies(routeTo("v9").replace(", subset: v9", ""));
  const warm = new PreviewCompiler();
  const [first, second] = [1, 2].map(() =>
    warm.preview(catalogue, { put: mended, remove: [] }, new Map(), registry, limits),
  );
  assert.ok(first!.resources.length > 0);
  assert.deepEqual(second, first);
});

test("nor of one that is rejected only after the dry run", () => {
  const catalogue = shop();
  const store = (put: readonly PolicyObject[]) => {
    for (const value of put) catalogue.apply({ revision: 100, kind: "policy", key: policyKey(value), value });
  };
  const plain = routeTo("v1").replace(", subset: v1", "");
  store(policies(`${rule}---\n${routeTo("v1")}`));
  const warm = new PreviewCompiler();
  // As the compiler has it: what was in force is known also to one that begins.
  const inForce = new Map(policies(`${rule}---\n${routeTo("v1")}`).map((object) => [policyKey(object), object]));
  const ask = (compiler: PreviewCompiler, text: string) =>
    compiler.preview(catalogue, { put: policies(text), remove: [] }, inForce, registry, limits);
  ask(warm, plain.replace("- route", "- timeout: 3s\n      route"));
  catalogue.apply({ revision: 101, kind: "policy", key: "DestinationRule/default/reviews", value: undefined });
  assert.deepEqual(ask(warm, plain), ask(new PreviewCompiler(), plain));
});
