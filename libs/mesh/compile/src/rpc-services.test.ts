import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy, viewOf, virtualHosts } from "./testing/mesh-under-test.ts";

const greeter = { interface: "org.x.Greeter", protocol: "dubbo", port: 20880 } as const;
const rpcRoutes = "rds/everything/outbound_rpc";

/** Names of routes with the headers that they match, and their clusters. */
function routesOf(mesh: ReturnType<typeof meshOf>, key: string, domain: string) {
  const routes = virtualHosts(mesh, key).find(({ domains }) => domains.includes(domain))?.routes ?? [];
  return (routes as unknown as RouteJson[]).map(({ match, route }) => [
    (match.headers ?? []).map(({ name, stringMatch }) => `${name}=${stringMatch.exact}`).join(" "),
    route.cluster ?? route.weightedClusters?.clusters.map(({ name }) => name).join(" "),
  ]);
}

interface RouteJson {
  readonly match: { readonly headers?: { readonly name: string; readonly stringMatch: { readonly exact: string } }[] };
  readonly route: { readonly cluster?: string; readonly weightedClusters?: { clusters: { name: string }[] } };
}

test("only a node with a port for RPC gets a listener and routes for it", () => {
  const mesh = meshOf({
    services: [],
    nodes: [
      { id: "a", outboundRpcPort: 12220 },
      { id: "envoy", outboundPort: 1 },
    ],
    instances: [{ nodeId: "p", ...greeter }],
  });
  assert.ok(viewOf(mesh, "a").has("lds/a/outbound_rpc"));
  assert.ok(viewOf(mesh, "a").has(rpcRoutes));
  assert.equal(viewOf(mesh, "envoy").has(rpcRoutes), false);
  assert.deepEqual(routesOf(mesh, rpcRoutes, "org.x.greeter"), [
    ["x-rpc-protocol=dubbo", "outbound|dubbo||org.x.Greeter"],
  ]);
});

test("a proxy takes RPC calls for its application only where it is one of ours; others' applications are called directly", () => {
  const mesh = meshOf({
    services: [],
    nodes: [
      { id: "ours", address: "10.0.0.1", inboundPort: 15006, outboundRpcPort: 12220 },
      { id: "envoy", address: "10.0.0.2", inboundPort: 15006 },
    ],
    instances: ["ours", "envoy"].map((nodeId) => ({ nodeId, ...greeter })),
  });
  const text = JSON.stringify(jsonOf(mesh, "eds/outbound|dubbo||org.x.Greeter"));
  const ports = [...text.matchAll(/"address":"([^"]+)","portValue":(\d+)/g)].map(([, address, port]) => [
    address,
    port,
  ]);
  assert.deepEqual(ports, [
    ["10.0.0.1", "15006"],
    ["10.0.0.2", "20880"],
  ]);
  assert.deepEqual(routesOf(mesh, "rds/ours/inbound", "org.x.greeter"), [["x-rpc-protocol=dubbo", "inbound|20880"]]);
  assert.deepEqual(virtualHosts(mesh, "rds/envoy/inbound"), []);
  assert.equal(JSON.stringify(jsonOf(mesh, "lds/envoy/inbound")).includes("RpcProxy"), false);
});

test("one interface over Dubbo, bolt and HTTP: each call goes to a cluster of its protocol", () => {
  const mesh = meshOf({
    services: ["http/org.x.Greeter"],
    nodes: [{ id: "a", outboundRpcPort: 12220, outboundPort: 15001 }],
    instances: [
      { nodeId: "p", ...greeter },
      { nodeId: "p", ...greeter, protocol: "bolt", port: 12200 },
    ],
  });
  assert.deepEqual(routesOf(mesh, rpcRoutes, "org.x.greeter"), [
    ["x-rpc-protocol=bolt", "outbound|bolt||org.x.Greeter"],
    ["x-rpc-protocol=dubbo", "outbound|dubbo||org.x.Greeter"],
  ]);
  assert.deepEqual(routesOf(mesh, "rds/everything/outbound", "org.x.greeter"), [["", "outbound|http||org.x.Greeter"]]);
});

test("where instances differ in version or group, a call gets those that have what it asks for", () => {
  const mesh = meshOf({
    services: [],
    nodes: [{ id: "a", outboundRpcPort: 12220 }, { id: "p" }, { id: "q" }],
    instances: [
      { nodeId: "p", ...greeter, version: "1.0.0", group: "blue" },
      { nodeId: "q", ...greeter, version: "2.0.0" },
    ],
  });
  const cluster = (subset: string) => `outbound|dubbo|${subset}|org.x.Greeter`;
  const dubbo = "x-rpc-protocol=dubbo";
  assert.deepEqual(routesOf(mesh, rpcRoutes, "org.x.greeter"), [
    [`${dubbo} version=1.0.0 group=blue`, cluster("version=1.0.0,group=blue")],
    [`${dubbo} version=2.0.0`, cluster("version=2.0.0")],
    [`${dubbo} version=1.0.0`, cluster("version=1.0.0")],
    [`${dubbo} group=blue`, cluster("group=blue")],
    [dubbo, cluster("")],
  ]);
  const endpoints = JSON.stringify(jsonOf(mesh, `eds/${cluster("version=2.0.0")}`));
  assert.equal(endpoints.match(/portValue/g)?.length, 1);
});

test("a VirtualService of an RPC service leads to clusters of its protocol, and is no less strict", () => {
  const policies = policy(
    "VirtualService",
    "v",
    "{hosts: [org.x.Greeter], http: [{route: [{destination: {host: org.x.Greeter}, weight: 90}, {destination: {host: org.x.Other}, weight: 10}]}]}",
  );
  const instances = [
    { nodeId: "p", ...greeter },
    { nodeId: "p", ...greeter, interface: "org.x.Other" },
  ];
  const nodes = [{ id: "a", outboundRpcPort: 12220 }];
  const mesh = meshOf({ services: [], nodes, instances, policies });
  assert.deepEqual(mesh.rejected, []);
  assert.deepEqual(routesOf(mesh, rpcRoutes, "org.x.greeter"), [
    ["x-rpc-protocol=dubbo", "outbound|dubbo||org.x.Greeter outbound|dubbo||org.x.Other"],
  ]);
  const alone = meshOf({ services: [], nodes, instances: instances.slice(0, 1), policies });
  assert.deepEqual(
    alone.rejected.map(({ code }) => code),
    ["FL_POLICY_DESTINATION_UNKNOWN"],
  );
});

test("the listener for RPC is for its own host only: Dubbo for Java calls the host's address where it is told 127.0.0.1", () => {
  const mesh = meshOf({
    services: [],
    nodes: [
      { id: "a", address: "10.0.0.1", outboundRpcPort: 12220 },
      { id: "local", address: "127.0.0.1", outboundRpcPort: 12220 },
    ],
  });
  const text = (id: string) => JSON.stringify(jsonOf(mesh, `lds/${id}/outbound_rpc`));
  assert.match(text("a"), /"address":"0.0.0.0"/);
  assert.match(
    text("a"),
    /"sourcePrefixRanges":\[\{"addressPrefix":"127.0.0.0","prefixLen":8\},.*\{"addressPrefix":"10.0.0.1","prefixLen":32\}\]/,
  );
  assert.match(text("local"), /"address":"127.0.0.1"/);
  assert.doesNotMatch(text("local"), /sourcePrefixRanges/);
});
