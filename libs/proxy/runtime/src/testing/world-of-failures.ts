import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { freePort } from "@fairlead/testing-basics";
import type { ProxyRuntimeOptions } from "../runtime-options.ts";
import { Backend, RawBackend } from "./backend.ts";
import { http2Cluster } from "./http2-cluster.ts";
import { Http2Backend } from "./http2-peers.ts";
import { TestProxy } from "./proxy.ts";
import {
  cluster,
  duration,
  endpoints,
  listener,
  type RouteActionInit,
  routes,
  staticCluster,
  toCluster,
  type VirtualHostInit,
} from "./resources.ts";

/** What the access log says of a request. */
export interface Logged {
  readonly path: string;
  readonly status: number;
  readonly flags: string;
  readonly details: string;
}

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

const fault = (init: MessageInitShape<typeof HTTPFaultSchema>): Record<string, Any> => ({
  fault: pack(HTTPFaultSchema, init),
});
const hundred = { numerator: 100 };
const typed = (name: string, value: Any) => ({ name, configType: { case: "typedConfig" as const, value } });

export interface WorldOfFailures extends AsyncDisposable {
  readonly proxy: TestProxy;
}

/** A proxy with a host for each way in which a request may fail. @param logged gets what its access log says */
export async function startWorldOfFailures(
  logged: Logged[],
  options: Partial<ProxyRuntimeOptions> = {},
): Promise<WorldOfFailures> {
  const stack = new AsyncDisposableStack();
  const ok = stack.use(await Backend.named("ok"));
  const bad = stack.use(
    await Backend.start((request, response) => {
      request.resume();
      response.statusCode = 503;
      response.end("no");
    }),
  );
  const silent = stack.use(await RawBackend.start((socket) => void socket.resume()));
  const closes = stack.use(await RawBackend.start((socket) => void socket.once("data", () => socket.end())));
  const garbage = stack.use(
    await RawBackend.start((socket) => void socket.once("data", () => socket.write("what?\r\n\r\n"))),
  );
  const resets = stack.use(await Http2Backend.start((stream) => stream.close(8)));
  const turnsAway = stack.use(await Http2Backend.start((stream) => stream.close(7)));
  const info = (facts: Logged): void => void (typeof facts === "object" && "details" in facts && logged.push(facts));
  const logger = { debug() {}, warn() {}, error() {}, info };
  const to = (
    name: string,
    clusterName: string,
    action: RouteActionInit = {},
    typedPerFilterConfig: Record<string, Any> = {},
  ): VirtualHostInit => ({ ...toCluster(name, clusterName, action), typedPerFilterConfig });
  const retry = { retryOn: "5xx", numRetries: 1, retryBackOff: { baseInterval: duration(1) } };
  const waits = { retryOn: "5xx", numRetries: 1, retryBackOff: { baseInterval: duration(9000) } };
  const limit = create(LocalRateLimitSchema, {
    statPrefix: "l",
    tokenBucket: { maxTokens: 0, fillInterval: duration(1000) },
    filterEnabled: { defaultValue: hundred },
    filterEnforced: { defaultValue: hundred },
  });
  const unhealthy = pack(HealthCheckSchema, {
    passThroughMode: false,
    headers: [{ name: ":authority", headerMatchSpecifier: { case: "exactMatch", value: "unhealthy" } }],
    clusterMinHealthyPercentages: { empty: { value: 1 } },
  });
  const limited = pack(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: { maxStreamDuration: duration(30) },
    upstreamProtocolOptions: { case: "explicitHttpConfig", value: {} },
  });
  const kept = { ...to("kept", "bad", { retryPolicy: waits }), perRequestBufferLimitBytes: 400 };
  const off = { timeout: duration(0) };
  const proxy = await TestProxy.start(
    {
      clusters: [
        staticCluster("ok", [ok.port]),
        staticCluster("bad", [bad.port]),
        staticCluster("silent", [silent.port]),
        staticCluster("closes", [closes.port]),
        staticCluster("garbage", [garbage.port]),
        http2Cluster("resets", [resets.port]),
        http2Cluster("turns-away", [turnsAway.port]),
        staticCluster("refused", [await freePort()]),
        cluster("empty"),
        cluster("full", { circuitBreakers: { thresholds: [{ maxRequests: 0 }] } }),
        cluster("no-retries", { circuitBreakers: { thresholds: [{ maxRetries: 0 }] } }),
        cluster("limited", {
          typedExtensionProtocolOptions: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": limited },
        }),
      ],
      endpoints: [
        endpoints("empty", []),
        endpoints("full", [ok.port]),
        endpoints("no-retries", [bad.port]),
        endpoints("limited", [silent.port]),
      ],
      listeners: [
        listener("timed", 0, { requestTimeout: duration(100), requestHeadersTimeout: duration(100) }),
        listener("in", 0, {
          internalAddressConfig: { cidrRanges: [{ addressPrefix: "127.0.0.0", prefixLen: 8 }] },
          upgradeConfigs: [{ upgradeType: "other", enabled: false }],
          httpFilters: [
            typed("health", unhealthy),
            typed("fault", pack(HTTPFaultSchema, {})),
            typed("limit", pack(LocalRateLimitSchema, { statPrefix: "l" })),
            { ...typed("buffer", pack(BufferSchema, { maxRequestBytes: 10 })), disabled: true },
            typed("router", pack(RouterSchema, { strictCheckHeaders: ["x-envoy-max-retries"] })),
          ],
        }),
      ],
      routes: [
        routes("timed", toCluster("*", "silent", off)),
        routes(
          "in",
          to("missing", "gone"),
          to("missing-404", "gone", { clusterNotFoundResponseCode: 1 }),
          to("missing-500", "gone", { clusterNotFoundResponseCode: 2 }),
          to("empty", "empty"),
          to("unhealthy", "ok"),
          to("refused", "refused"),
          to("refused-twice", "refused", { retryPolicy: { ...retry, retryOn: "connect-failure" } }),
          to("closes", "closes"),
          to("resets", "resets"),
          to("turns-away", "turns-away"),
          to("garbage", "garbage"),
          to("slow", "silent", { timeout: duration(30) }),
          to("slow-try", "silent", { retryPolicy: { retryOn: "connect-failure", perTryTimeout: duration(30) } }),
          to("idle-try", "silent", { retryPolicy: { retryOn: "connect-failure", perTryIdleTimeout: duration(30) } }),
          to("idle", "silent", { idleTimeout: duration(30), ...off }),
          to("long", "silent", { maxStreamDuration: { maxStreamDuration: duration(30) }, ...off }),
          to("long-try", "limited", off),
          to("hangs", "silent", off),
          to("full", "full"),
          to("again", "bad", { retryPolicy: retry }),
          to("no-more-retries", "no-retries", { retryPolicy: retry }),
          to(
            "aborted",
            "ok",
            {},
            fault({ abort: { errorType: { case: "httpStatus", value: 418 }, percentage: hundred } }),
          ),
          to(
            "delayed",
            "ok",
            {},
            fault({
              delay: { faultDelaySecifier: { case: "fixedDelay", value: duration(5) }, percentage: hundred },
            }),
          ),
          to("limited", "ok", {}, { limit: anyPack(LocalRateLimitSchema, limit) }),
          to(
            "buffered",
            "ok",
            {},
            { buffer: pack(BufferPerRouteSchema, { override: { case: "buffer", value: { maxRequestBytes: 10 } } }) },
          ),
          kept,
          to("strict", "ok"),
          {
            name: "direct",
            domains: ["direct"],
            routes: [
              {
                match: { pathSpecifier: { case: "prefix", value: "/" } },
                action: {
                  case: "directResponse",
                  value: { status: 201, body: { specifier: { case: "inlineString", value: "hello" } } },
                },
              },
            ],
          },
          to("ok", "ok"),
        ),
      ],
    },
    // Back-offs are as long as they can be.
    { logger, accessLog: true, random: () => 0.99, ...options },
  );
  stack.use(proxy);
  return { proxy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
