import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type RateLimit, RateLimitSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import {
  VhRateLimitsOptions,
  XRateLimitHeadersRFCVersion,
} from "@fairlead/envoy-api/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster, type VirtualHostInit } from "../testing/resources.ts";

type FilterInit = Extract<MessageInitShape<typeof LocalRateLimitSchema>, { readonly $typeName?: undefined }>;

const bucket = (maxTokens: number): { maxTokens: number; fillInterval: ReturnType<typeof duration> } => ({
  maxTokens,
  fillInterval: duration(60_000),
});
const always = { defaultValue: { numerator: 100 } };
const byHeader: RateLimit[] = [
  create(RateLimitSchema, {
    actions: [
      {
        actionSpecifier: {
          case: "requestHeaders",
          value: { headerName: "X-User", descriptorKey: "user", skipIfAbsent: false },
        },
      },
    ],
  }),
];
const generic = (descriptorValue: string, stage = 0): RateLimit[] => [
  create(RateLimitSchema, {
    stage,
    actions: [{ actionSpecifier: { case: "genericKey", value: { descriptorValue } } }],
  }),
];

async function start(backend: Backend, init: FilterInit, ...hosts: VirtualHostInit[]): Promise<TestProxy> {
  const config = create(LocalRateLimitSchema, {
    statPrefix: "limit",
    tokenBucket: bucket(100),
    filterEnabled: always,
    filterEnforced: always,
    descriptors: [
      { entries: [{ key: "user", value: "anna" }], tokenBucket: bucket(2) },
      { entries: [{ key: "generic_key", value: "slow" }], tokenBucket: bucket(1) },
    ],
    ...init,
  });
  const httpFilters = [
    { name: "rl", configType: { case: "typedConfig" as const, value: anyPack(LocalRateLimitSchema, config) } },
    {
      name: "router",
      configType: { case: "typedConfig" as const, value: anyPack(RouterSchema, create(RouterSchema)) },
    },
  ];
  return TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { httpFilters })],
    routes: [routes("in", ...hosts)],
  });
}

async function statuses(proxy: TestProxy, count: number, headers: Record<string, string>): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await call(proxy.port("in"), { headers })).status);
  return found;
}

test("requests are limited by what their route says that they count as", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await start(
    backend,
    {},
    toCluster("shop", "a", { rateLimits: byHeader }),
    toCluster("other", "a"),
  );
  const anna = { "x-user": "anna" };
  assert.deepEqual(await statuses(proxy, 3, { host: "shop", ...anna }), [200, 200, 429]);
  assert.deepEqual(await statuses(proxy, 3, { host: "shop", "x-user": "bert" }), [200, 200, 200]);
  assert.deepEqual(await statuses(proxy, 3, { host: "shop" }), [200, 200, 200]);
  assert.deepEqual(await statuses(proxy, 3, { host: "other", ...anna }), [200, 200, 200]);
  assert.equal(proxy.stat("http.in.limit.http_local_rate_limit.rate_limited"), 1);
});

test("what a virtual host says counts where the route has nothing to say, or includes it, or the filter does", async () => {
  await using backend = await Backend.named("a");
  const hosts: VirtualHostInit[] = [
    { ...toCluster("own", "a", { rateLimits: generic("own") }), rateLimits: generic("slow") },
    {
      ...toCluster("both", "a", { rateLimits: generic("own"), includeVhRateLimits: true }),
      rateLimits: generic("slow"),
    },
    { ...toCluster("host", "a"), rateLimits: generic("slow") },
    { ...toCluster("stage", "a"), rateLimits: generic("slow", 3) },
  ];
  for (const [vhRateLimits, expected] of [
    [VhRateLimitsOptions.OVERRIDE, [200, 429, 429, 200]],
    [VhRateLimitsOptions.INCLUDE, [429, 429, 429, 200]],
    [VhRateLimitsOptions.IGNORE, [200, 429, 200, 200]],
  ] as const) {
    const seconds: (number | undefined)[] = [];
    for (const host of ["own", "both", "host", "stage"]) {
      await using proxy = await start(backend, { vhRateLimits }, ...hosts);
      seconds.push((await statuses(proxy, 2, { host }))[1]);
    }
    assert.deepEqual(seconds, expected, VhRateLimitsOptions[vhRateLimits]);
  }
});

test("clients are told of the tightest limit that is about them", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await start(
    backend,
    { enableXRatelimitHeaders: XRateLimitHeadersRFCVersion.DRAFT_VERSION_03 },
    toCluster("*", "a", { rateLimits: byHeader }),
  );
  const ask = async (user: string): Promise<unknown[]> => {
    const { headers } = await call(proxy.port("in"), { headers: { "x-user": user } });
    return [headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]];
  };
  assert.deepEqual(
    [await ask("anna"), await ask("bert"), await ask("anna"), await ask("anna")],
    [["2", "1"], ["100", "98"], ["2", "0"], ["2", "0"]], // prettier-ignore
  );
  const { headers } = await call(proxy.port("in"));
  assert.match(String(headers["x-ratelimit-reset"]), /^(?:59|60)$/);
});
