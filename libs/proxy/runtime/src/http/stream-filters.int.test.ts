import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import {
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { CorsPolicySchema, CorsSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { HeaderMutationSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { type Answer, call, keepAliveAgent } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

interface Filter {
  readonly name: string;
  readonly config: Any;
  readonly disabled?: boolean;
}

const hundred = { numerator: 100 };
const always = { defaultValue: hundred };

/** One listener with these filters; each domain is a route with what it says about them. */
async function start(
  backend: Backend,
  filters: readonly Filter[],
  hosts: Readonly<Record<string, Record<string, Any>>>,
): Promise<TestProxy> {
  const httpFilters = [...filters, { name: "router", config: pack(RouterSchema, {}), disabled: false }].map(
    (filter) => ({
      name: filter.name,
      disabled: filter.disabled ?? false,
      configType: { case: "typedConfig" as const, value: filter.config },
    }),
  );
  const virtualHosts = Object.entries(hosts).map(([domain, typedPerFilterConfig]) => ({
    ...toCluster(domain, "a"),
    typedPerFilterConfig,
  }));
  return TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { httpFilters })],
    routes: [routes("in", ...virtualHosts)],
  });
}

test("a fault delays and aborts where a route says so, and costs other routes nothing", async () => {
  await using backend = await Backend.named("a");
  const delay = { faultDelaySecifier: { case: "fixedDelay", value: duration(60) }, percentage: hundred } as const;
  const abort = { errorType: { case: "httpStatus", value: 418 }, percentage: hundred } as const;
  const grpcAbort = { errorType: { case: "grpcStatus", value: 14 }, percentage: hundred } as const;
  await using proxy = await start(backend, [{ name: "fault", config: pack(HTTPFaultSchema, {}) }], {
    plain: {},
    delayed: { fault: pack(HTTPFaultSchema, { delay }) },
    aborted: { fault: pack(HTTPFaultSchema, { delay, abort }) },
    grpc: { fault: pack(HTTPFaultSchema, { abort: grpcAbort }) },
    never: { fault: pack(HTTPFaultSchema, { abort: { ...abort, percentage: { numerator: 0 } } }) },
    some: { fault: pack(HTTPFaultSchema, { abort, headers: [{ name: "x-fault" }] }) },
    off: { fault: pack(FilterConfigSchema, { disabled: true }) },
  });
  const at = (host: string, headers: Record<string, string> = {}): Promise<Answer> =>
    call(proxy.port("in"), { method: "POST", body: "hello", agent: false, headers: { host, ...headers } });
  for (const host of ["plain", "never", "some", "off"]) assert.equal((await at(host)).body, "a", host);
  const began = performance.now();
  assert.equal((await at("delayed")).body, "a");
  assert(performance.now() - began >= 59);
  const aborted = await at("aborted");
  assert.deepEqual([aborted.status, aborted.body], [418, "fault filter abort"]);
  assert.equal((await at("some", { "x-fault": "" })).status, 418);
  const grpc = await at("grpc", { "content-type": "application/grpc" });
  assert.deepEqual(
    [grpc.status, grpc.headers["grpc-status"], grpc.headers["grpc-message"]],
    [200, "14", "fault filter abort"],
  );
  assert.equal((await at("grpc")).status, 503);
  assert.equal(proxy.stat("http.in.fault.delays_injected"), 2);
  assert.equal(proxy.stat("http.in.fault.aborts_injected"), 4);
});

test("preflights are answered, and pages of allowed origins may read responses", async () => {
  await using backend = await Backend.named("a");
  const policy = {
    allowOriginStringMatch: [{ matchPattern: { case: "suffix" as const, value: ".example" } }],
    allowMethods: "GET,POST",
    allowHeaders: "x-a",
    exposeHeaders: "x-b",
    maxAge: "60",
    allowCredentials: true,
    filterEnabled: always,
  };
  await using proxy = await start(backend, [{ name: "cors", config: pack(CorsSchema, {}) }], {
    shop: { cors: pack(CorsPolicySchema, policy) },
    strict: { cors: pack(CorsPolicySchema, { ...policy, forwardNotMatchingPreflights: false }) },
    none: {},
  });
  const at = (host: string, origin: string, method = "GET"): Promise<Answer> =>
    call(proxy.port("in"), {
      method,
      headers: { host, origin, ...(method === "OPTIONS" ? { "access-control-request-method": "POST" } : {}) },
    });
  const preflight = await at("shop", "https://a.example", "OPTIONS");
  assert.equal(preflight.status, 200);
  assert.partialDeepStrictEqual(preflight.headers, {
    "access-control-allow-origin": "https://a.example",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET,POST",
    "access-control-allow-headers": "x-a",
    "access-control-max-age": "60",
  });
  assert.equal(backend.requests, 0);
  const read = await at("shop", "https://a.example");
  assert.equal(read.body, "a");
  assert.equal(read.headers["access-control-allow-origin"], "https://a.example");
  assert.equal(read.headers["access-control-expose-headers"], "x-b");
  const stranger = await at("shop", "https://evil", "OPTIONS");
  assert.deepEqual([stranger.body, stranger.headers["access-control-allow-origin"]], ["a", undefined]);
  const refused = await at("strict", "https://evil", "OPTIONS");
  assert.deepEqual(
    [refused.status, refused.body, refused.headers["access-control-allow-origin"]],
    [200, "", undefined],
  );
  assert.equal((await at("none", "https://a.example")).headers["access-control-allow-origin"], undefined);
  assert.equal(proxy.stat("http.in.cors.origin_invalid"), 2);
});

test("beyond its tokens a route's requests are refused, or only counted", async () => {
  await using backend = await Backend.named("a");
  const limit = (filterEnforced: typeof always, perConnection = false): Any =>
    pack(LocalRateLimitSchema, {
      statPrefix: "limit",
      tokenBucket: { maxTokens: 2, fillInterval: duration(60_000) },
      filterEnabled: always,
      filterEnforced,
      responseHeadersToAdd: [{ header: { key: "x-limited", value: "yes" } }],
      localRateLimitPerDownstreamConnection: perConnection,
    });
  await using proxy = await start(
    backend,
    [{ name: "rl", config: pack(LocalRateLimitSchema, { statPrefix: "none" }) }],
    {
      limited: { rl: limit(always) },
      counted: { rl: limit({ defaultValue: { numerator: 0 } }) },
      each: { rl: limit(always, true) },
      free: {},
    },
  );
  const statuses = async (host: string, agent = keepAliveAgent(1)): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < 3; i++) found.push((await call(proxy.port("in"), { headers: { host }, agent })).status);
    agent.destroy();
    return found;
  };
  assert.deepEqual(await statuses("limited"), [200, 200, 429]);
  const refused = await call(proxy.port("in"), { headers: { host: "limited" } });
  assert.deepEqual([refused.body, refused.headers["x-limited"]], ["local_rate_limited", "yes"]);
  assert.deepEqual(await statuses("counted"), [200, 200, 200]);
  assert.deepEqual(await statuses("free"), [200, 200, 200]);
  assert.deepEqual(await statuses("each"), [200, 200, 429]);
  assert.deepEqual(await statuses("each"), [200, 200, 429]);
  assert.equal(proxy.stat("http.in.limit.http_local_rate_limit.rate_limited"), 5);
  assert.equal(proxy.stat("http.in.limit.http_local_rate_limit.enforced"), 4);
});

test("a buffered request reaches the host with its length, and one that is too large does not", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    request.on("end", () =>
      response.end(`${request.headers["content-length"]} ${request.headers["transfer-encoding"]}`),
    );
  });
  const config = pack(BufferSchema, { maxRequestBytes: 10_000 });
  await using proxy = await start(backend, [{ name: "buffer", config, disabled: true }], {
    all: { buffer: pack(FilterConfigSchema, {}) },
    off: {},
  });
  const send = (host: string, bytes: number): Promise<Answer> =>
    call(proxy.port("in"), {
      method: "POST",
      headers: { host, "transfer-encoding": "chunked" },
      body: Buffer.alloc(bytes, "x"),
    });
  assert.equal((await send("all", 9000)).body, "9000 undefined");
  assert.equal((await send("off", 20_000)).body, "undefined chunked");
  const refused = await send("all", 20_000);
  assert.deepEqual([refused.status, refused.body], [413, "Payload Too Large"]);
  assert.equal(backend.requests, 2);
  await until("the end", () => proxy.stat("http.in.downstream_rq_active") === 0);
});

test("a route switches the buffer off, or gives it another size", async () => {
  await using backend = await Backend.named("a");
  const perRoute = (override: MessageInitShape<typeof BufferPerRouteSchema>["override"]): Any =>
    pack(BufferPerRouteSchema, { override: override! });
  const off = perRoute({ case: "disabled", value: true });
  await using proxy = await start(backend, [{ name: "buffer", config: pack(BufferSchema, { maxRequestBytes: 100 }) }], {
    plain: {},
    off: { buffer: off },
    wrapped: { buffer: pack(FilterConfigSchema, { config: off }) },
    large: { buffer: perRoute({ case: "buffer", value: { maxRequestBytes: 1000 } }) },
  });
  const send = async (host: string, bytes: number): Promise<number> =>
    (await call(proxy.port("in"), { method: "POST", agent: false, headers: { host }, body: Buffer.alloc(bytes) }))
      .status;
  assert.deepEqual([await send("plain", 100), await send("plain", 101)], [200, 413]);
  assert.deepEqual([await send("large", 1000), await send("large", 1001)], [200, 413]);
  assert.deepEqual([await send("off", 20_000), await send("wrapped", 20_000)], [200, 200]);
  const refusals = await proxy.apply({
    routes: [
      routes("in", {
        ...toCluster("*", "a"),
        typedPerFilterConfig: { buffer: perRoute({ case: "disabled", value: false }) },
      }),
    ],
  });
  assert.match(refusals[0]?.reason ?? "", /typed_per_filter_config\[buffer\].disabled: must be true/);
});

test("header mutations happen at the filter's place; health checks are answered by the proxy", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.setHeader("x-secret", "1");
    response.end(String(request.headers["x-added"]));
  });
  const mutations = {
    requestMutations: [{ action: { case: "append", value: { header: { key: "X-Added", value: "yes" } } } }],
    responseMutations: [{ action: { case: "remove", value: "x-secret" } }],
  } as const;
  const health = pack(HealthCheckSchema, {
    passThroughMode: false,
    headers: [{ name: ":path", headerMatchSpecifier: { case: "exactMatch", value: "/healthz" } }],
  });
  await using proxy = await start(
    backend,
    [
      { name: "health", config: health },
      {
        name: "mutate",
        config: pack(HeaderMutationSchema, {
          mutations: {
            requestMutations: [...mutations.requestMutations],
            responseMutations: [...mutations.responseMutations],
          },
        }),
      },
    ],
    { "*": {} },
  );
  const answer = await call(proxy.port("in"));
  assert.deepEqual([answer.body, answer.headers["x-secret"]], ["yes", undefined]);
  assert.equal((await call(proxy.port("in"), { path: "/healthz" })).status, 200);
  assert.equal(backend.requests, 1);
});

test("requests ask for their faults by headers where that is allowed, for less than what is allowed", async () => {
  await using backend = await Backend.named("a");
  const config = pack(HTTPFaultSchema, {
    delay: { faultDelaySecifier: { case: "headerDelay", value: {} }, percentage: hundred },
    abort: { errorType: { case: "headerAbort", value: {} }, percentage: hundred },
  });
  await using proxy = await start(backend, [{ name: "fault", config }], { a: {} });
  const ask = (headers: Record<string, string>): Promise<Answer> =>
    call(proxy.port("in"), { headers: { host: "a", ...headers } });
  assert.equal((await ask({})).body, "a");
  const before = performance.now();
  assert.equal((await ask({ "x-envoy-fault-delay-request": "60" })).body, "a");
  assert(performance.now() - before >= 59);
  assert.equal((await ask({ "x-envoy-fault-abort-request": "418" })).status, 418);
  assert.equal((await ask({ "x-envoy-fault-abort-request": "99" })).status, 200);
  const none = { "x-envoy-fault-abort-request": "418", "x-envoy-fault-abort-request-percentage": "0" };
  assert.equal((await ask(none)).status, 200);
  const grpc = await ask({ "x-envoy-fault-abort-grpc-request": "8", "content-type": "application/grpc" });
  assert.equal(grpc.headers["grpc-status"], "8");
  assert.equal(proxy.stat("http.in.fault.aborts_injected"), 2);
});

test("a response is let through as slowly as the fault says", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    response.end("x".repeat(20 * 1024));
  });
  const rate = { limitType: { case: "fixedLimit" as const, value: { limitKbps: 100n } }, percentage: hundred };
  const config = pack(HTTPFaultSchema, { responseRateLimit: rate });
  await using proxy = await start(backend, [{ name: "fault", config }], { a: {} });
  const before = performance.now();
  const answer = await call(proxy.port("in"), { headers: { host: "a" } });
  assert.equal(answer.body.length, 20 * 1024);
  assert(performance.now() - before >= 180, "20 KiB take 200 ms at 100 KiB/s");
  assert.equal(proxy.stat("http.in.fault.response_rl_injected"), 1);
});
