import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { meshOf, type MeshParts, policy, routesTo, virtualHosts } from "./testing/mesh-under-test.ts";

const to = "route: [{destination: {host: shop.A}}]";

describe("who calls", () => {
  const nodes: MeshParts["nodes"] & object = [
    { id: "a", outboundPort: 1, labels: { app: "a" } },
    { id: "b", outboundPort: 1, labels: { app: "b", namespace: "team" } },
    { id: "c", outboundPort: 1, labels: {} },
  ];
  const first = (spec: string, namespace?: string) => {
    const mesh = meshOf({ nodes, policies: policy("VirtualService", "vs", spec, namespace) });
    assert.deepEqual(mesh.rejected, []);
    return nodes.map(({ id }) => (routesTo(mesh, "shop.A", id)![0]!["name"] ?? "none") as string);
  };

  test("sourceLabels", () => {
    const spec = `{hosts: [shop.A], http: [{name: x, match: [{sourceLabels: {app: a}}], ${to}}, {name: y, ${to}}]}`;
    assert.deepEqual(first(spec), ["x", "y", "y"]);
  });

  test("sourceNamespace, by the label namespace", () => {
    const spec = `{hosts: [shop.A], http: [{name: x, match: [{sourceNamespace: team}], ${to}}, {name: y, ${to}}]}`;
    assert.deepEqual(first(spec), ["y", "x", "y"]);
  });

  test("exportTo", () => {
    assert.deepEqual(first(`{hosts: [shop.A], exportTo: [team], http: [{name: x, ${to}}]}`), [
      "default",
      "x",
      "default",
    ]);
    assert.deepEqual(first(`{hosts: [shop.A], exportTo: ["."], http: [{name: x, ${to}}]}`, "team"), [
      "default",
      "x",
      "default",
    ]);
  });

  test("gateways of a match that are not the mesh's are not for sidecars", () => {
    const spec = `{hosts: [shop.A], gateways: [mesh, g], http: [{name: x, match: [{gateways: [g]}], ${to}}, {name: y, ${to}}]}`;
    assert.deepEqual(first(spec), ["y", "y", "y"]);
  });
});

describe("several VirtualServices", () => {
  test("of one host are merged by namespace and name; what comes after a catch-all is reported, and the rest is in force", () => {
    const mesh = meshOf({
      policies:
        policy("VirtualService", "b", `{hosts: [shop.A], http: [{name: b, ${to}}]}`) +
        policy("VirtualService", "a", `{hosts: [shop.A], http: [{name: a, match: [{uri: {prefix: /a}}], ${to}}]}`) +
        policy("VirtualService", "c", `{hosts: [shop.A], http: [{name: c, ${to}}]}`),
    });
    assert.deepEqual(
      routesTo(mesh, "shop.A")!.map(({ name }) => name),
      ["a", "b", "c"],
    );
    assert.deepEqual(
      mesh.rejected.map(({ code, provenance }) => [code, provenance.key, provenance.line]),
      [["FL_POLICY_CONFLICT", "VirtualService/default/c", 12]],
    );
  });

  test("a wildcard is for the hosts below it that have none of their own", () => {
    const mesh = meshOf({
      policies:
        policy("VirtualService", "wide", `{hosts: ["*.w"], http: [{name: wide, ${to}}]}`) +
        policy("VirtualService", "own", `{hosts: [x.w], http: [{name: own, ${to}}]}`),
      services: ["shop.A", "x.w", "y.w"],
    });
    assert.deepEqual(
      ["x.w", "y.w", "shop.A"].map((host) => routesTo(mesh, host)![0]!["name"]),
      ["own", "wide", "default"],
    );
  });
});

describe("a host", () => {
  const cases: readonly (readonly [host: string, namespace: string, service: string])[] = [
    ["SHOP.a", "default", "shop.A"],
    ["reviews", "default", "reviews"],
    ["reviews.prod.svc.cluster.local", "default", "reviews"],
    ["reviews", "shop", "shop.Reviews"],
    ["reviews.shop.svc.cluster.local", "default", "shop.Reviews"],
  ];
  for (const [host, namespace, service] of cases) {
    test(`${host} in ${namespace} is ${service}`, () => {
      const mesh = meshOf({
        services: [service],
        policies: policy(
          "VirtualService",
          "vs",
          `{hosts: [${host}], http: [{name: x, route: [{destination: {host: ${host}}}]}]}`,
          namespace,
        ),
      });
      assert.deepEqual(mesh.rejected, []);
      assert.partialDeepStrictEqual(routesTo(mesh, service)![0]!, {
        name: "x",
        route: { cluster: `outbound|http||${service}` },
      });
    });
  }
});

describe("a delegate", () => {
  const root = (match: string) =>
    policy(
      "VirtualService",
      "root",
      `{hosts: [shop.A], http: [{name: r, ${match} delegate: {name: d, namespace: team}, timeout: 1s, headers: {request: {set: {x-r: r}}}}]}`,
    );
  const delegate = policy(
    "VirtualService",
    "d",
    `{http: [{name: d, match: [{uri: {prefix: /a/b}, headers: {x-h: {exact: y}}}, {uri: {prefix: /z}}], timeout: 2s, ${to}}, {name: e, ${to}}]}`,
    "team",
  );

  test("has its routes in its root's place, where both match; what it says comes first", () => {
    const mesh = meshOf({ policies: root("match: [{uri: {prefix: /a}, method: {exact: GET}}],") + delegate });
    assert.deepEqual(mesh.rejected, []);
    const routes = routesTo(mesh, "shop.A")!;
    assert.equal(routes.length, 2);
    assert.partialDeepStrictEqual(routes[0]!, {
      name: "r-d",
      match: {
        prefix: "/a/b",
        headers: [
          { name: ":method", stringMatch: { exact: "GET" } },
          { name: "x-h", stringMatch: { exact: "y" } },
        ],
      },
      route: { timeout: "2s" },
      requestHeadersToAdd: [{ header: { key: "x-r", value: "r" } }],
    });
    assert.partialDeepStrictEqual(routes[1]!, { name: "r-e", match: { prefix: "/a" }, route: { timeout: "1s" } });
  });

  test("that would multiply into too many routes rejects its root", () => {
    const matches = (count: number, one: (index: number) => string) =>
      `[${Array.from({ length: count }, (_, index) => `{${one(index)}}`).join(", ")}]`;
    const roots = (count: number) => root(`match: ${matches(count, (index) => `headers: {x-${index}: {exact: y}}`)},`);
    const own = (routes: number, count: number) => {
      const route = `{match: ${matches(count, (index) => `uri: {prefix: /${index}}`)}, ${to}}`;
      return policy(
        "VirtualService",
        "d",
        `{http: [${Array.from({ length: routes }, () => route).join(", ")}]}`,
        "team",
      );
    };
    assert.deepEqual(meshOf({ policies: roots(10) + own(1, 50) }).rejected, []);
    for (const routes of [1, 3]) {
      const [rejected, ...more] = meshOf({ policies: roots(200) + own(routes, 200) }).rejected;
      assert.deepEqual([rejected!.code, more.length], ["FL_POLICY_UNSUPPORTED", 0]);
      assert.match(rejected!.message, /default\/root: with its delegates/);
    }
  });

  test("that is not there rejects its root: what there was stays", () => {
    const mesh = meshOf({ policies: root("") });
    assert.deepEqual(
      mesh.rejected.map(({ code }) => code),
      ["FL_POLICY_DESTINATION_UNKNOWN"],
    );
    const { routes } = virtualHosts(mesh)[0]!;
    assert.equal(routes!.length, 1);
    assert.equal(routes![0]!.name, "default");
  });
});
