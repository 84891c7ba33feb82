import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { VirtualHostSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { askedIn, startEcho } from "../testing/echo.ts";
import { TestProxy } from "../testing/proxy.ts";
import {
  duration,
  listener,
  type RouteActionInit,
  routes,
  staticCluster,
  toCluster,
  type VirtualHostInit,
} from "../testing/resources.ts";

type TableInit = Extract<MessageInitShape<typeof RouteConfigurationSchema>, { readonly $typeName?: undefined }>;
type HostInit = Extract<VirtualHostInit, { readonly $typeName?: undefined }>;

/** One virtual host for all domains, with what is special to it. */
function host(action: RouteActionInit, init: HostInit = {}): VirtualHostInit {
  return create(VirtualHostSchema, { ...init, ...(toCluster("*", "a", action) as HostInit) });
}

function table(init: TableInit): ReturnType<typeof routes> {
  return {
    name: "in",
    body: toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { name: "in", ...init })),
  };
}

const loopback = { cidrRanges: [{ addressPrefix: "127.0.0.0", prefixLen: 8 }] };

test("what the proxy in front expects counts as the time-out where that is respected, and from inside", async () => {
  await using backend = await startEcho();
  for (const [respected, expected] of [
    [true, "700"],
    [false, "9000"],
  ] as const) {
    const router = create(RouterSchema, { respectExpectedRqTimeout: respected });
    const httpFilters = [
      { name: "router", configType: { case: "typedConfig" as const, value: anyPack(RouterSchema, router) } },
    ];
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [
        listener("in", 0, { httpFilters, internalAddressConfig: loopback }),
        listener("outside", 0, { httpFilters }),
      ],
      routes: [routes("in", host({})), routes("outside", host({}))],
    });
    const ask = async (name: string): Promise<string | undefined> => {
      const headers = { "x-envoy-expected-rq-timeout-ms": "700", "x-envoy-upstream-rq-timeout-ms": "9000" };
      return askedIn((await call(proxy.port(name), { headers })).body).headers["x-envoy-expected-rq-timeout-ms"];
    };
    assert.equal(await ask("in"), expected);
    assert.equal(await ask("outside"), "15000");
  }
});

test("the number in a header chooses among weighted clusters, for all alike", async () => {
  await using a = await Backend.named("a");
  await using b = await Backend.named("b");
  const weighted: RouteActionInit = {
    clusterSpecifier: {
      case: "weightedClusters",
      value: {
        clusters: [
          { name: "a", weight: 30 },
          { name: "b", weight: 70 },
        ],
        randomValueSpecifier: { case: "headerName", value: "X-Share" },
      },
    },
  };
  await using proxy = await TestProxy.start(
    {
      clusters: [staticCluster("a", [a.port]), staticCluster("b", [b.port])],
      listeners: [listener("in", 0)],
      routes: [routes("in", host(weighted))],
    },
    // Chance is always for the second.
    { random: () => 0.9 },
  );
  const ask = async (share: string): Promise<string> =>
    (await call(proxy.port("in"), { headers: { "x-share": share } })).body;
  const shares = ["0", "29", "30", "99", "100", "129", "130", "18446744073709551615", "-1", "none"];
  const chosen: string[] = [];
  for (const share of shares) chosen.push(await ask(share));
  // The remainder by the sum of the weights; the last number is that of 64 bits.
  assert.deepEqual(chosen, ["a", "a", "b", "b", "a", "a", "b", "b", "b", "b"]);
});

test("copies go to the mirror that a header names; those of the most specific level that has any", async () => {
  await using a = await Backend.named("a");
  await using copies = await startEcho();
  const mirror = (cluster: string) => ({ cluster });
  const names = ["of-table", "of-host", "of-route", "named"];
  const clusters = [staticCluster("a", [a.port]), ...names.map((name) => staticCluster(name, [copies.port]))];
  const counts = async (
    ofTable: TableInit["requestMirrorPolicies"],
    ofHost: HostInit["requestMirrorPolicies"],
    ofRoute: { cluster?: string; clusterHeader?: string }[],
    headers: Record<string, string> = {},
  ): Promise<string[]> => {
    await using proxy = await TestProxy.start({
      clusters,
      listeners: [listener("in", 0)],
      routes: [
        table({
          requestMirrorPolicies: ofTable ?? [],
          virtualHosts: [host({ requestMirrorPolicies: ofRoute }, { requestMirrorPolicies: ofHost ?? [] })],
        }),
      ],
    });
    const before = copies.requests;
    assert.equal((await call(proxy.port("in"), { headers })).body, "a");
    const found = names.filter((name) => proxy.stat(`cluster.${name}.upstream_rq_total`) > 0);
    await until("the copies", () => copies.requests === before + found.length);
    return found;
  };
  assert.deepEqual(await counts([mirror("of-table")], [], []), ["of-table"]);
  assert.deepEqual(await counts([mirror("of-table")], [mirror("of-host")], []), ["of-host"]);
  assert.deepEqual(await counts([mirror("of-table")], [mirror("of-host")], [mirror("of-route")]), ["of-route"]);
  const byHeader = [{ clusterHeader: "X-Mirror" }];
  assert.deepEqual(await counts([], [], byHeader, { "x-mirror": "named" }), ["named"]);
  assert.deepEqual(await counts([], [], byHeader), []);
  assert.deepEqual(await counts([], [], byHeader, { "x-mirror": "missing" }), []);
});

test("hosts are told whether an attempt follows one that took too long", async () => {
  const attempts: (string | undefined)[] = [];
  await using backend = await Backend.start((request, response) => {
    request.resume();
    attempts.push(request.headers["x-envoy-is-timeout-retry"] as string | undefined);
    // The first is too slow, the second fails.
    if (attempts.length === 2) response.statusCode = 503;
    if (attempts.length > 1) response.end();
  });
  const retryPolicy = {
    retryOn: "5xx",
    numRetries: 2,
    perTryTimeout: duration(50),
    retryBackOff: { baseInterval: duration(1) },
  };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", host({ retryPolicy }, { includeIsTimeoutRetryHeader: true }))],
  });
  assert.equal((await call(proxy.port("in"))).status, 200);
  assert.deepEqual(attempts, [undefined, "true", "false"]);
});

test("headers that are for inside only are taken away from requests that come from outside", async () => {
  await using backend = await startEcho();
  const routeTable = (name: string): ReturnType<typeof table> => ({
    name,
    body: table({ name, internalOnlyHeaders: ["X-Secret"], virtualHosts: [host({})] }).body,
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("edge", 0, { useRemoteAddress: true }),
      listener("inside", 0, { useRemoteAddress: true, internalAddressConfig: loopback }),
      listener("mesh", 0),
    ],
    routes: ["edge", "inside", "mesh"].map(routeTable),
  });
  const ask = async (name: string): Promise<unknown[]> => {
    const { body } = await call(proxy.port(name), { headers: { "x-secret": "s", "x-open": "o" } });
    const { headers } = askedIn(body);
    return [headers["x-secret"], headers["x-open"]];
  };
  assert.deepEqual(await ask("edge"), [undefined, "o"]);
  assert.deepEqual(await ask("inside"), ["s", "o"]);
  assert.deepEqual(await ask("mesh"), ["s", "o"]);
});
