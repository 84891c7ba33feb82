import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Registry } from "@bufbuild/protobuf";
import { CatalogueReplica, type Instance, type MeshNode, type PolicyObject, type Service } from "@fairlead/model";
import { parsePolicies } from "@fairlead/policy";
import { envoyMessages } from "../readable/envoy-messages.ts";
import { previewChange } from "./preview-change.ts";

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
  previewChange(catalogue, { put, remove }, new Map(), registry, limits);

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
  const { resources, diffsLeftOut } = previewChange(shop(), { put: policies(rule), remove: [] }, new Map(), registry, {
    maxDiffChars: 60,
    maxTotalDiffChars: 20,
  });
  assert.match(resources[0]!.diff ?? "", /… \d+ more lines$/);
  assert.equal(resources[1]!.diff, undefined);
  assert.equal(diffsLeftOut, 1);
});
