import assert from "node:assert/strict";
import { test } from "node:test";
import { largestBeyond } from "./computations/route-budget.ts";
import { jsonOf } from "./testing/json-of.ts";
import { meshOf, policy, routesTo } from "./testing/mesh-under-test.ts";

const nowhere = "outbound|http||missing~destination";
const cluster = (route: { readonly [field: string]: unknown } | undefined) =>
  (route as { route: { cluster: string } }).route.cluster;

/** Of about 2 KiB for each match. */
function routes(name: string, hosts: string, matches: number, more = ""): string {
  const match = Array.from({ length: Math.min(matches, 250) }, (_, index) => `{uri: {prefix: /${name}-${index}}}`);
  const route = `{match: [${match.join(", ")}], route: [{destination: {host: shop.A}}]}`;
  const http = Array.from({ length: Math.ceil(matches / 250) }, () => route);
  return policy("VirtualService", name, `{hosts: [${hosts}], ${more} http: [${http.join(", ")}]}`);
}

test("the largest are left out until the rest is within the limit", () => {
  const volume = new Map([
    ["a", 10],
    ["b", 40],
    ["c", 40],
    ["d", 20],
  ]);
  assert.deepEqual(largestBeyond(volume, 110), []);
  assert.deepEqual(largestBeyond(volume, 109), ["b"]);
  assert.deepEqual(largestBeyond(volume, 69), ["b", "c"]);
});

test("of many VirtualServices of a host that are too much together the largest is named, and its calls get 503", () => {
  const mesh = meshOf({
    policies: routes("a", "shop.A", 6000) + routes("b", "shop.A", 7000) + routes("c", "shop.A", 6000),
  });
  assert.deepEqual(
    mesh.rejected.map(({ code, provenance: { key, file, line } }) => [code, key, file, line]),
    [["FL_POLICY_TOO_LARGE", "VirtualService/default/b", "p.yaml", 7]],
  );
  const found = routesTo(mesh, "shop.A")!;
  assert.equal(found.length, 6000 + 1 + 6000);
  assert.equal(cluster(found[6000]), nowhere);
});

test("a wildcard over many hosts is too much before anything is rendered; the hosts of others are not affected", () => {
  const services = Array.from({ length: 200 }, (_, index) => `s${index}.w`);
  const started = performance.now();
  const mesh = meshOf({
    services: [...services, "shop.A", "shop.B"],
    policies: routes("wide", "'*.w'", 5000) + routes("own", "shop.B", 3),
  });
  assert.ok(performance.now() - started < 20_000);
  assert.deepEqual(
    mesh.rejected.map(({ code, provenance: { key } }) => [code, key]),
    [["FL_POLICY_TOO_LARGE", "VirtualService/default/wide"]],
  );
  assert.equal(cluster(routesTo(mesh, "s7.w")![0]), nowhere);
  assert.equal(routesTo(mesh, "shop.B")!.length, 3);
});

test("the servers of Gateways times the routes have a limit, too", () => {
  const servers = Array.from(
    { length: 60 },
    (_, index) => `{port: {number: ${8000 + index}, name: p${index}, protocol: HTTP}, hosts: ['*']}`,
  );
  const mesh = meshOf({
    nodes: [{ id: "edge", labels: { edge: "yes" } }],
    policies:
      policy("Gateway", "g", `{selector: {edge: 'yes'}, servers: [${servers.join(", ")}]}`) +
      routes("many", "x.example.com", 5000, "gateways: [g],") +
      routes("few", "y.example.com", 2, "gateways: [g],"),
  });
  assert.deepEqual(
    mesh.rejected.map(({ code, provenance: { key } }) => [code, key]),
    [["FL_POLICY_TOO_LARGE", "VirtualService/default/many"]],
  );
  const key = [...mesh.resources.keys()].find((one) => one.endsWith("/http.8000"))!;
  const { virtualHosts } = jsonOf(mesh, key) as { virtualHosts: { domains: string[]; routes: { route: unknown }[] }[] };
  assert.deepEqual(
    virtualHosts.map(({ domains, routes: found }) => [domains[0], found.map((route) => cluster(route))]),
    [
      ["x.example.com", [nowhere]],
      ["y.example.com", ["outbound|http||shop.A", "outbound|http||shop.A"]],
    ],
  );
});
