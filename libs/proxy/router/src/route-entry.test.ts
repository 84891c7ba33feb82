import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForwardAction, WeightedCluster } from "./route-action.ts";
import type { RouteMatch } from "./route-match.ts";
import type { RouteTableSpec } from "./route-spec.ts";
import { RouteTable } from "./route-table.ts";
import { all, forward, head, route } from "./testing/route-specs.ts";

test("a request is rewritten as its route says", () => {
  const cases: readonly (readonly [RouteMatch, Partial<ForwardAction>, from: string, to: string])[] = [
    [{ path: { kind: "prefix", value: "/api/" } }, { prefixRewrite: "/" }, "/api/x?y=/api/", "/x?y=/api/"],
    [{ path: { kind: "path", value: "/a" } }, { prefixRewrite: "/b" }, "/a?q", "/b?q"],
    [all, { regexRewrite: { pattern: "^/(\\w+)/(\\w+)$", substitution: "/\\2/\\1/$1" } }, "/a/b?c", "/b/a/$1?c"],
    [all, { regexRewrite: { pattern: "b", substitution: "<\\0>" } }, "/abab", "/a<b>a<b>"],
    [all, { regexRewrite: { pattern: "x*", substitution: "-" } }, "/axxb", "/-/-a-b-"],
    [all, { regexRewrite: { pattern: "b*", substitution: "\\\\" } }, "/b", "/\\/\\"],
    [{ path: { kind: "prefix", value: "/a" } }, { prefixRewrite: "b" }, "/ac", "/bc"],
  ];
  for (const [match, action, from, to] of cases) {
    const table = new RouteTable({
      name: "t",
      virtualHosts: [{ name: "v", domains: ["*"], routes: [route("r", match, action)] }],
    });
    const request = head("old", from);
    table.find(request)?.changeRequest(request, { name: "c", weight: 1 });
    assert.equal(request.path, to);
    assert.equal(request.headers.get("x-envoy-original-path"), from);
  }
});

test("the host is rewritten by the weighted cluster, else by the route; headers by each level, the table's last", () => {
  const add = (
    value: string,
  ): { request: { remove: string[]; add: { name: string; value: string; action: "overwrite" }[] } } => ({
    request: { remove: ["gone"], add: [{ name: "level", value, action: "overwrite" }] },
  });
  const spec = (mostSpecificMutationsWin: boolean, cluster: WeightedCluster): RouteTableSpec => ({
    name: "t",
    mostSpecificMutationsWin,
    mutations: add("table"),
    virtualHosts: [
      {
        name: "v",
        domains: ["*"],
        mutations: add("host"),
        routes: [
          {
            ...route("r", all, {
              clusters: [cluster],
              hostRewrite: { kind: "literal", host: "route" },
              appendForwardedHost: true,
            }),
            mutations: add("route"),
          },
        ],
      },
    ],
  });
  for (const [most, level] of [
    [false, "table"],
    [true, "cluster"],
  ] as const) {
    const request = head("old", "/", ["gone", "1", "x", "2"]);
    const cluster = {
      name: "c",
      weight: 1,
      hostRewrite: most ? { kind: "literal" as const, host: "cluster" } : undefined,
      mutations: add("cluster"),
    };
    new RouteTable(spec(most, cluster)).find(request)?.changeRequest(request, cluster);
    assert.equal(request.authority, most ? "cluster" : "route");
    assert.deepEqual(request.headers.fields, [
      "x",
      "2",
      "level",
      level,
      "x-forwarded-host",
      "old",
      "x-envoy-original-host",
      "old",
    ]);
  }
});

test("clusters are picked by their weights, one of weight 0 never", () => {
  const clusters = [
    { name: "none", weight: 0 },
    { name: "a", weight: 90 },
    { name: "b", weight: 10 },
    { name: "last", weight: 0 },
  ];
  const table = new RouteTable({
    name: "t",
    virtualHosts: [
      { name: "v", domains: ["*"], routes: [{ name: "r", match: all, action: forward("", { clusters }) }] },
    ],
  });
  const entry = table.find(head("a", "/"));
  const pick = (at: number): string | undefined => entry?.pickCluster(() => at)?.name;
  assert.deepEqual([pick(0), pick(0.8999), pick(0.9), pick(0.999999)], ["a", "a", "b", "b"]);
});
