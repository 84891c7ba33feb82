import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { Backend, freePort, RawBackend } from "./testing/backend.ts";
import { call, eventually } from "./testing/client.ts";
import { TestProxy } from "./testing/proxy.ts";
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
} from "./testing/resources.ts";

/** What the access log says of a request. */
interface Logged {
  readonly path: string;
  readonly status: number;
  readonly flags: string;
  readonly details: string;
}

const fault = (init: object): Record<string, Any> => ({
  fault: anyPack(HTTPFaultSchema, create(HTTPFaultSchema, init)),
});
const hundred = { numerator: 100 };
const typed = (name: string, value: Any) => ({
  name,
  configType: { case: "typedConfig" as const, value },
});

type Row = readonly [host: string, status: number, body: string, flags: string, details: string | RegExp, stat: string];

const upstreamReset = "upstream connect error or disconnect/reset before headers. ";

const rows: readonly Row[] = [
  ["nobody", 404, "", "NR", "route_not_found", "http.in.no_route"],
  ["missing", 503, "", "NC", "cluster_not_found", "http.in.no_cluster"],
  ["empty", 503, "no healthy upstream", "UH", "no_healthy_upstream", "cluster.empty.upstream_cx_none_healthy"],
  ["refused", 503, `${upstreamReset}reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused`, "UF", "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}", "cluster.refused.upstream_cx_connect_fail"],
  ["closes", 503, `${upstreamReset}reset reason: connection termination`, "UC", /^upstream_reset_before_response_started\{connection_termination/, "cluster.closes.upstream_rq_rx_reset"],
  ["garbage", 502, `${upstreamReset}reset reason: protocol error`, "UPE", /^upstream_reset_before_response_started\{protocol_error/, "cluster.garbage.upstream_cx_protocol_error"],
  ["slow", 504, "upstream request timeout", "UT", "response_timeout", "cluster.silent.upstream_rq_timeout"],
  ["slow-try", 504, "upstream request timeout", "UT", "upstream_per_try_timeout", "cluster.silent.upstream_rq_per_try_timeout"],
  ["idle", 504, "stream timeout", "SI", "stream_idle_timeout", "http.in.downstream_rq_idle_timeout"],
  ["long", 504, "downstream duration timeout", "", "max_duration_timeout", "http.in.downstream_rq_max_duration_reached"],
  ["full", 503, `${upstreamReset}reset reason: overflow`, "UO", "upstream_reset_before_response_started{overflow}", "cluster.full.upstream_rq_active_overflow"],
  ["again", 503, "no", "URX", "via_upstream", "cluster.bad.upstream_rq_retry_limit_exceeded"],
  ["aborted", 418, "fault filter abort", "FI", "fault_filter_abort", "http.in.fault.aborts_injected"],
  ["delayed", 200, "ok", "DI", "via_upstream", "http.in.fault.delays_injected"],
  ["limited", 429, "local_rate_limited", "RL", "local_rate_limited", "http.in.l.http_local_rate_limit.enforced"],
  ["direct", 201, "hello", "", "direct_response", "http.in.rq_direct_response"],
  ["ok", 200, "ok", "", "via_upstream", "cluster.ok.upstream_rq_200"],
]; // prettier-ignore

test("each failure has Envoy's status, body, flag, details and counter", async () => {
  await using ok = await Backend.named("ok");
  await using bad = await Backend.start((request, response) => {
    request.resume();
    response.statusCode = 503;
    response.end("no");
  });
  await using silent = await RawBackend.start((socket) => {
    socket.resume();
  });
  await using closes = await RawBackend.start((socket) => socket.once("data", () => socket.end()));
  await using garbage = await RawBackend.start((socket) => socket.once("data", () => socket.write("what?\r\n\r\n")));
  const logged: Logged[] = [];
  const logger = { debug() {}, warn() {}, error() {}, info: (facts: Logged) => logged.push(facts) };
  const to = (
    name: string,
    clusterName: string,
    action: RouteActionInit = {},
    typedPerFilterConfig: Record<string, Any> = {},
  ): VirtualHostInit => ({ ...toCluster(name, clusterName, action), typedPerFilterConfig });
  const retry = { retryOn: "5xx", numRetries: 1, retryBackOff: { baseInterval: duration(1) } };
  const limit = create(LocalRateLimitSchema, {
    statPrefix: "l",
    tokenBucket: { maxTokens: 0, fillInterval: duration(1000) },
    filterEnabled: { defaultValue: hundred },
    filterEnforced: { defaultValue: hundred },
  });
  await using proxy = await TestProxy.start(
    {
      clusters: [
        staticCluster("ok", [ok.port]),
        staticCluster("bad", [bad.port]),
        staticCluster("silent", [silent.port]),
        staticCluster("closes", [closes.port]),
        staticCluster("garbage", [garbage.port]),
        staticCluster("refused", [await freePort()]),
        cluster("empty"),
        cluster("full", { circuitBreakers: { thresholds: [{ maxRequests: 0 }] } }),
      ],
      endpoints: [endpoints("empty", []), endpoints("full", [ok.port])],
      listeners: [
        listener("in", 0, {
          httpFilters: [
            typed("fault", anyPack(HTTPFaultSchema, create(HTTPFaultSchema))),
            typed("limit", anyPack(LocalRateLimitSchema, create(LocalRateLimitSchema, { statPrefix: "l" }))),
            typed("router", anyPack(RouterSchema, create(RouterSchema))),
          ],
        }),
      ],
      routes: [
        routes(
          "in",
          to("missing", "gone"),
          to("empty", "empty"),
          to("refused", "refused"),
          to("closes", "closes"),
          to("garbage", "garbage"),
          to("slow", "silent", { timeout: duration(30) }),
          to("slow-try", "silent", { retryPolicy: { retryOn: "connect-failure", perTryTimeout: duration(30) } }),
          to("idle", "silent", { idleTimeout: duration(30), timeout: duration(0) }),
          to("long", "silent", { maxStreamDuration: { maxStreamDuration: duration(30) }, timeout: duration(0) }),
          to("full", "full"),
          to("again", "bad", { retryPolicy: retry }),
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
    { logger, accessLog: true },
  );
  for (const [host, status, body, flags, details, stat] of rows) {
    const before = proxy.stat(stat);
    const answer = await call(proxy.port("in"), { agent: false, path: `/${host}`, headers: { host } });
    assert.deepEqual([answer.status, answer.body], [status, body], host);
    await eventually(() => logged.some(({ path }) => path === `/${host}`), `the log of ${host}`);
    const line = logged.find(({ path }) => path === `/${host}`);
    assert.deepEqual([line?.status, line?.flags], [status, flags], host);
    if (typeof details === "string") assert.equal(line?.details, details);
    else assert.match(line?.details ?? "", details);
    assert(proxy.stat(stat) > before, `${stat} of ${host}`);
  }
  // A client that goes away has no status.
  const socket = connect(proxy.port("in"), "127.0.0.1", () =>
    socket.write("GET /leaves HTTP/1.1\r\nHost: slow-try\r\n\r\n"),
  );
  await eventually(() => proxy.stat("cluster.silent.upstream_rq_active") === 1, "the request");
  socket.destroy();
  await eventually(() => logged.some(({ path }) => path === "/leaves"), "its end");
  const left = logged.find(({ path }) => path === "/leaves");
  assert.deepEqual([left?.status, left?.flags, left?.details], [0, "DC", "downstream_remote_disconnect"]);
});
