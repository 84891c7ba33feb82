import assert from "node:assert/strict";
import { test } from "node:test";
import { compareText } from "./compare-text.ts";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy, routesTo, viewOf } from "./testing/mesh-under-test.ts";

const nodes = [
  { id: "a", outboundPort: 1, inboundPort: 2, labels: { app: "a" } },
  { id: "b", outboundPort: 1, labels: {} as Record<string, string> },
  { id: "t", outboundPort: 1, labels: { namespace: "team" } },
];

const sidecar = (spec: string, name = "s", namespace?: string) => policy("Sidecar", name, spec, namespace);
const entry = policy(
  "ServiceEntry",
  "se",
  "{hosts: [a.com], ports: [{number: 80, name: a, protocol: HTTP}], resolution: DNS}",
  "team",
);

function seenBy(policies: string, subscriptions: { nodeId: string; interface: string }[] = []) {
  const mesh = meshOf({ nodes, policies, subscriptions, services: ["shop.A", "shop.B", "other.C"] });
  assert.deepEqual(mesh.rejected, []);
  return Object.fromEntries(
    nodes.map(({ id }) => [
      id,
      [...viewOf(mesh, id)]
        .filter((key) => key.startsWith("cds/outbound"))
        .map((key) => key.split("|").at(-1) ?? "")
        .toSorted(compareText),
    ]),
  );
}

const everything = ["a.com", "other.C", "shop.A", "shop.B"];

test("egress hosts are what the nodes of a namespace see, by name, wildcard and namespace", () => {
  assert.deepEqual(seenBy(entry + sidecar("{egress: [{hosts: ['./*']}]}")), {
    a: ["other.C", "shop.A", "shop.B"],
    b: ["other.C", "shop.A", "shop.B"],
    t: everything,
  });
  assert.deepEqual(seenBy(entry + sidecar("{egress: [{hosts: ['*/shop.a', 'team/*.com']}]}"))["b"], [
    "a.com",
    "shop.A",
  ]);
  assert.deepEqual(seenBy(entry + sidecar("{egress: [{hosts: ['~/*']}]}"))["b"], []);
  assert.deepEqual(seenBy(entry + sidecar("{egress: [{hosts: ['*/*']}]}"))["b"], everything);
});

test("the Sidecar that selects a node comes before that of its namespace; what is subscribed to is seen as well", () => {
  const policies =
    sidecar("{egress: [{hosts: ['*/shop.a']}]}", "wide") +
    sidecar("{workloadSelector: {labels: {app: a}}, egress: [{hosts: ['*/shop.b']}]}", "own");
  assert.deepEqual(seenBy(policies, [{ nodeId: "b", interface: "other.C" }]), {
    a: ["shop.B"],
    b: ["other.C", "shop.A"],
    t: ["other.C", "shop.A", "shop.B"],
  });
});

test("REGISTRY_ONLY: calls to hosts that nobody knows get 502", () => {
  const mesh = meshOf({ nodes, policies: sidecar("{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}") });
  assert.partialDeepStrictEqual(routesTo(mesh, "*", "a")!, [{ directResponse: { status: 502 } }]);
  assert.equal(routesTo(mesh, "*", "t"), undefined);
});

test("ingress: where a port's calls go instead, and the limits towards the application", () => {
  const mesh = meshOf({
    nodes,
    instances: [
      { nodeId: "a", interface: "shop.A", port: 8080 },
      { nodeId: "a", interface: "shop.B", port: 8081 },
    ],
    policies: sidecar(
      "{ingress: [{port: {number: 8080}, defaultEndpoint: '127.0.0.1:9090', connectionPool: {tcp: {maxConnections: 5}}}], inboundConnectionPool: {http: {http2MaxRequests: 6}}}",
    ),
  });
  assert.partialDeepStrictEqual(jsonOf(mesh, "cds/a/inbound|8080"), {
    circuitBreakers: { thresholds: [{ maxConnections: 5 }] },
    loadAssignment: {
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue: 9090 } } } }] },
      ],
    },
  });
  assert.partialDeepStrictEqual(jsonOf(mesh, "cds/a/inbound|8081"), {
    circuitBreakers: { thresholds: [{ maxRequests: 6 }] },
  });
});
