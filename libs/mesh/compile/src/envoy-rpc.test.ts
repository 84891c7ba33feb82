import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy, viewOf } from "./testing/mesh-under-test.ts";

const greeter = { interface: "org.x.Greeter", protocol: "dubbo", port: 20880 } as const;
const labels = { "fairlead.io/proxy": "envoy" };
const any = { method: { name: { safeRegex: { regex: ".*" } } } };
const listener = "lds/envoy/outbound_rpc";

interface FilterJson {
  readonly name: string;
  readonly typedConfig: {
    readonly cluster?: string;
    readonly routeConfig?: { readonly interface: string; readonly version?: string; readonly routes: object[] }[];
  };
}

function filterOf(mesh: ReturnType<typeof meshOf>): FilterJson {
  const { filterChains } = jsonOf(mesh, listener) as unknown as { filterChains: { filters: FilterJson[] }[] };
  assert.equal(filterChains[0]!.filters.length, 1);
  return filterChains[0]!.filters[0]!;
}

function meshWith(instances: readonly object[], policies?: string) {
  return meshOf({
    services: [],
    nodes: [{ id: "envoy", labels, inboundPort: 15006, outboundRpcPort: 12220 }],
    instances: instances as { nodeId: string; interface: string; protocol: "dubbo"; port: number }[],
    ...(policies === undefined ? {} : { policies }),
  });
}

/** The routes to an interface, in short. */
function routesTo(mesh: ReturnType<typeof meshOf>, name: string): object[] {
  return filterOf(mesh).typedConfig.routeConfig!.filter((config) => config.interface === name);
}

test("an Envoy gets dubbo_proxy in the place of our filter, and is called past its inbound listener", () => {
  const mesh = meshWith([{ nodeId: "envoy", ...greeter }]);
  assert.deepEqual(mesh.rejected, []);
  const filter = filterOf(mesh);
  assert.equal(filter.name, "envoy.filters.network.dubbo_proxy");
  assert.deepEqual(filter.typedConfig.routeConfig, [
    {
      name: "org.x.Greeter",
      interface: "org.x.Greeter",
      routes: [{ match: any, route: { cluster: "outbound|dubbo||org.x.Greeter" } }],
    },
  ]);
  const view = viewOf(mesh, "envoy");
  assert.ok(view.has(listener));
  assert.ok(view.has("cds/outbound|dubbo||org.x.Greeter"));
  assert.equal(
    [...view].some((key) => key.endsWith("/outbound_rpc") && key.startsWith("rds/")),
    false,
  );
  assert.equal(JSON.stringify(jsonOf(mesh, "lds/envoy/inbound")).includes("RpcProxy"), false);
  assert.match(JSON.stringify(jsonOf(mesh, "eds/outbound|dubbo||org.x.Greeter")), /"portValue":20880/);
});

test("versions and groups are told apart by the interface's own fields", () => {
  const mesh = meshWith([
    { nodeId: "p", ...greeter, version: "1.0" },
    { nodeId: "q", ...greeter, version: "2.0", group: "blue" },
  ]);
  const found = routesTo(mesh, "org.x.Greeter") as { version?: string; group?: string; routes: { route: object }[] }[];
  assert.deepEqual(
    found.map(({ version = "", group = "", routes }) => [version, group, routes[0]!.route]),
    [
      ["2.0", "blue", { cluster: "outbound|dubbo|version=2.0,group=blue|org.x.Greeter" }],
      ["2.0", "", { cluster: "outbound|dubbo|version=2.0|org.x.Greeter" }],
      ["1.0", "", { cluster: "outbound|dubbo|version=1.0|org.x.Greeter" }],
      ["", "blue", { cluster: "outbound|dubbo|group=blue|org.x.Greeter" }],
      ["", "", { cluster: "outbound|dubbo||org.x.Greeter" }],
    ],
  );
});

const subsets = policy(
  "DestinationRule",
  "d",
  "{host: org.x.Greeter, subsets: [{name: a, labels: {t: a}}, {name: b, labels: {t: b}}]}",
);
const routed = (http: string) =>
  meshWith(
    [
      { nodeId: "p", ...greeter, labels: { t: "a" } },
      { nodeId: "q", ...greeter, labels: { t: "b" } },
    ],
    subsets + policy("VirtualService", "v", `{hosts: [org.x.Greeter], http: [${http}]}`),
  );
const to = (subset: string): string => `{destination: {host: org.x.Greeter, subset: ${subset}}`;

test("a VirtualService routes by method, path and attachments, with weights", () => {
  const mesh = routed(`
    {match: [{method: {exact: greet}, headers: {tenant: {exact: big}}}], route: [${to("a")}}]},
    {match: [{uri: {prefix: /org.x.Greeter/find}}], route: [${to("a")}, weight: 90}, ${to("b")}, weight: 10}]},
    {match: [{uri: {exact: /org.x.Greeter/plus}}], route: [${to("b")}}]},
    {route: [${to("b")}}]}`);
  assert.deepEqual(mesh.rejected, []);
  const [{ routes }] = routesTo(mesh, "org.x.Greeter") as [{ routes: object[] }];
  const [a, b] = ["outbound|dubbo|a|org.x.Greeter", "outbound|dubbo|b|org.x.Greeter"];
  const text = JSON.parse(JSON.stringify(routes)) as { match: object; route: { weightedClusters?: { clusters: { name: string; weight: number }[] } } }[]; // prettier-ignore
  assert.deepEqual(text[0], {
    match: { method: { name: { exact: "greet" } }, headers: [{ name: "tenant", stringMatch: { exact: "big" } }] },
    route: { cluster: a },
  });
  assert.deepEqual(text[1]!.match, { method: { name: { prefix: "find" } } });
  assert.deepEqual(
    text[1]!.route.weightedClusters!.clusters.map(({ name, weight }) => [name, weight]),
    [
      [a, 90],
      [b, 10],
    ],
  );
  assert.deepEqual(text[2], { match: { method: { name: { exact: "plus" } } }, route: { cluster: b } });
  assert.deepEqual(text[3], { match: any, route: { cluster: b } });
});

test("what dubbo_proxy cannot match is refused, with all behind it; so is what leads to no service", () => {
  const refusal = { match: any, route: { cluster: "fairlead_refused" } };
  const mesh = routed(`
    {match: [{method: {exact: greet}}], route: [${to("a")}}]},
    {match: [{uri: {regex: /.*/x.*}}], route: [${to("a")}}]},
    {route: [${to("b")}}]}`);
  const [{ routes }] = routesTo(mesh, "org.x.Greeter") as [{ routes: object[] }];
  assert.equal(routes.length, 2);
  assert.deepEqual(routes[1], refusal);
  const direct = routed("{directResponse: {status: 503}}");
  assert.deepEqual((routesTo(direct, "org.x.Greeter") as [{ routes: object[] }])[0].routes, [refusal]);
});

test("bolt goes connection by connection, where the node calls one service of it and none of Dubbo", () => {
  const bolt = { ...greeter, protocol: "bolt", port: 12200 };
  const one = filterOf(meshWith([{ nodeId: "p", ...bolt }]));
  assert.deepEqual([one.name, one.typedConfig.cluster], ["envoy.filters.network.tcp_proxy", "outbound|bolt||org.x.Greeter"]); // prettier-ignore
  const two = meshWith([
    { nodeId: "p", ...bolt },
    { nodeId: "p", ...bolt, interface: "org.x.Other" },
  ]);
  assert.equal(viewOf(two, "envoy").has(listener), false);
});
