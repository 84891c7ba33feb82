import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  BufferPerRouteSchema,
  BufferSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { typeUrls } from "@fairlead/envoy-api";
import { HTTPFaultSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { Backend, freePort, RawBackend } from "./testing/backend.ts";
import { call, eventually, exchange } from "./testing/client.ts";
import { http2Cluster } from "./testing/http2-cluster.ts";
import { Http2Backend, Http2Caller } from "./testing/http2-peers.ts";
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

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

const fault = (init: MessageInitShape<typeof HTTPFaultSchema>): Record<string, Any> => ({
  fault: pack(HTTPFaultSchema, init),
});
const hundred = { numerator: 100 };
const typed = (name: string, value: Any) => ({ name, configType: { case: "typedConfig" as const, value } });

/** gRPC: the status in the trailers-only answer; undefined = the host's own answer goes through. */
type Row = readonly [
  host: string,
  status: number,
  body: string,
  grpc: number | undefined,
  flags: string,
  details: string | RegExp,
  stat: string,
];

const upstreamReset = "upstream connect error or disconnect/reset before headers. ";
const refusedText = "remote connection failure, transport failure reason: delayed connect error: Connection refused";
const resetDetails = "upstream_reset_before_response_started";

const rows: readonly Row[] = [
  ["nobody", 404, "", 12, "NR", "route_not_found", "http.in.no_route"],
  ["missing", 503, "", 14, "NC", "cluster_not_found", "http.in.no_cluster"],
  ["missing-404", 404, "", 12, "NC", "cluster_not_found", "http.in.no_cluster"],
  ["missing-500", 500, "", 2, "NC", "cluster_not_found", "http.in.no_cluster"],
  ["empty", 503, "no healthy upstream", 14, "UH", "no_healthy_upstream", "cluster.empty.upstream_cx_none_healthy"],
  ["refused", 503, `${upstreamReset}reset reason: ${refusedText}`, 14, "UF", `${resetDetails}{remote_connection_failure|delayed_connect_error:_Connection_refused}`, "cluster.refused.upstream_cx_connect_fail"],
  ["refused-twice", 503, `${upstreamReset}retried and the latest reset reason: ${refusedText}`, 14, "URX,UF", `${resetDetails}{remote_connection_failure|delayed_connect_error:_Connection_refused}`, "cluster.refused.upstream_rq_retry_limit_exceeded"],
  ["closes", 503, `${upstreamReset}reset reason: connection termination`, 14, "UC", new RegExp(`^${resetDetails}\\{connection_termination`), "cluster.closes.upstream_rq_rx_reset"],
  ["resets", 503, `${upstreamReset}reset reason: remote reset`, 14, "UR", new RegExp(`^${resetDetails}\\{remote_reset`), "cluster.resets.upstream_rq_rx_reset"],
  ["turns-away", 503, `${upstreamReset}retried and the latest reset reason: remote refused stream reset`, 14, "UR", new RegExp(`^${resetDetails}\\{remote_refused_stream_reset`), "cluster.turns-away.upstream_rq_rx_reset"],
  ["garbage", 502, `${upstreamReset}reset reason: protocol error`, 14, "UPE", new RegExp(`^${resetDetails}\\{protocol_error`), "cluster.garbage.upstream_cx_protocol_error"],
  ["slow", 504, "upstream request timeout", 14, "UT", "response_timeout", "cluster.silent.upstream_rq_timeout"],
  ["slow-try", 504, "upstream request timeout", 14, "UT", "upstream_per_try_timeout", "cluster.silent.upstream_rq_per_try_timeout"],
  ["idle-try", 504, "upstream request timeout", 14, "UT", "upstream_per_try_idle_timeout", "cluster.silent.upstream_rq_per_try_idle_timeout"],
  ["idle", 504, "stream timeout", 14, "SI", "stream_idle_timeout", "http.in.downstream_rq_idle_timeout"],
  ["long", 504, "downstream duration timeout", 4, "", "max_duration_timeout", "http.in.downstream_rq_max_duration_reached"],
  ["long-try", 504, "upstream max stream duration reached", 14, "UMSDR", "upstream_max_stream_duration_reached", "cluster.limited.upstream_rq_max_duration_reached"],
  ["full", 503, `${upstreamReset}reset reason: overflow`, 14, "UO", `${resetDetails}{overflow}`, "cluster.full.upstream_rq_active_overflow"],
  ["again", 503, "no", undefined, "URX", "via_upstream", "cluster.bad.upstream_rq_retry_limit_exceeded"],
  ["no-more-retries", 503, "no", undefined, "UO", "via_upstream", "cluster.no-retries.upstream_rq_retry_overflow"],
  ["aborted", 418, "fault filter abort", 2, "FI", "fault_filter_abort", "http.in.fault.aborts_injected"],
  ["delayed", 200, "ok", undefined, "DI", "via_upstream", "http.in.fault.delays_injected"],
  ["limited", 429, "local_rate_limited", 14, "RL", "local_rate_limited", "http.in.l.http_local_rate_limit.enforced"],
  ["strict", 400, "invalid header 'x-envoy-max-retries' with value 'many'", 13, "IH", "request_headers_failed_strict_check", "http.in.downstream_rq_completed"],
  ["direct", 201, "hello", 2, "", "direct_response", "http.in.rq_direct_response"],
  ["ok", 200, "ok", undefined, "", "via_upstream", "cluster.ok.upstream_rq_200"],
]; // prettier-ignore

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

type Ask = (proxy: TestProxy, host: string, headers: Record<string, string>) => Promise<Seen>;

const asks: Readonly<Record<string, Ask>> = {
  "HTTP/1.1": (proxy, host, headers) =>
    call(proxy.port("in"), { agent: false, path: `/${host}`, headers: { ...headers, host } }),
  "HTTP/2": async (proxy, host, headers) => {
    using caller = new Http2Caller(proxy.port("in"));
    return await caller.call({ ...headers, ":path": `/${host}`, ":authority": host });
  },
};

test("each failure has Envoy's status, body, flag, details and counter, in HTTP and as gRPC", async () => {
  const logged: Logged[] = [];
  await using world = await startWorld(logged);
  const { proxy } = world;
  for (const [protocol, ask] of Object.entries(asks)) {
    for (const grpcCall of [false, true]) {
      for (const [host, status, body, grpc, flags, details, stat] of rows) {
        const where = `${host} over ${protocol}${grpcCall ? " as gRPC" : ""}`;
        const before = proxy.stat(stat);
        logged.length = 0;
        const answer = await ask(proxy, host, {
          ...(host === "strict" ? { "x-envoy-max-retries": "many", "x-envoy-upstream-rq-timeout-ms": "1000" } : {}),
          ...(grpcCall ? { "content-type": "application/grpc" } : {}),
        });
        const asGrpc = grpcCall && grpc !== undefined;
        assert.deepEqual([where, answer.status, answer.body], [where, ...(asGrpc ? [200, ""] : [status, body])]);
        if (asGrpc) {
          assert.equal(answer.headers["grpc-status"], String(grpc), where);
          assert.equal(answer.headers["content-type"], "application/grpc", where);
          assert.equal(decodeURIComponent(String(answer.headers["grpc-message"] ?? "")), body, where);
        } else if (grpc !== undefined && body !== "") assert.equal(answer.headers["content-type"], "text/plain", where);
        assert.equal(answer.headers["x-envoy-overloaded"], host === "full" ? "true" : undefined, where);
        await eventually(() => logged.length > 0, `the log of ${where}`);
        const line = logged[0];
        assert.deepEqual([where, line?.status, line?.flags], [where, asGrpc ? 200 : status, flags]);
        if (typeof details === "string") assert.equal(line?.details, details, where);
        else assert.match(line?.details ?? "", details, where);
        assert(proxy.stat(stat) > before, `${stat} of ${where}`);
      }
    }
  }
});

/** A request on a connection of its own, as bytes; what is answered, and what the log says. */
type RawRow = readonly [
  what: string,
  bytes: string,
  answer: RegExp,
  status: number,
  flags: string,
  details: string,
  stat: string,
];

const head = (host: string, more = ""): string => `POST /x HTTP/1.1\r\nHost: ${host}\r\n${more}`;
const textBody = (body: string): string => `[^]*\\r\\n\\r\\n${body}$`;

const rawRows: readonly RawRow[] = [
  ["a request that stops", `${head("idle", "Content-Length: 9\r\n")}\r\nhalf`, new RegExp(`^HTTP/1.1 408 ${textBody("stream timeout")}`), 408, "SI", "stream_idle_timeout", "http.in.downstream_rq_idle_timeout"],
  ["a request that takes too long", `${head("hangs", "Content-Length: 9\r\n")}\r\nhalf`, new RegExp(`^HTTP/1.1 408 ${textBody("request timeout")}`), 408, "", "request_overall_timeout", "http.timed.downstream_rq_timeout"],
  ["a request that is open too long", `${head("long", "Content-Length: 9\r\n")}\r\nhalf`, new RegExp(`^HTTP/1.1 408 ${textBody("downstream duration timeout")}`), 408, "", "max_duration_timeout", "http.in.downstream_rq_max_duration_reached"],
  ["a head that takes too long", "GET / HTTP/1.1\r\nHost:", new RegExp(`^HTTP/1.1 408 ${textBody("request header timeout")}`), 408, "", "request_header_timeout", "http.timed.downstream_rq_header_timeout"],
  ["a body larger than the buffer", `${head("buffered", "Content-Length: 20\r\n")}\r\n${"x".repeat(20)}`, new RegExp(`^HTTP/1.1 413 ${textBody("Payload Too Large")}`), 413, "", "request_payload_too_large", "http.in.downstream_rq_4xx"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", /^HTTP\/1.1 400 /, 400, "", "missing_host_header", "http.in.downstream_cx_protocol_error"],
  ["a path above the root", "GET /../.. HTTP/1.1\r\nHost: ok\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 400 /, 400, "", "path_normalization_failed", "http.in.downstream_rq_4xx"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: ok\r\n\r\n", /^HTTP\/1.1 426 /, 426, "", "low_version", "http.in.downstream_cx_protocol_error"],
  ["an upgrade that is refused", "GET / HTTP/1.1\r\nHost: ok\r\nConnection: close, upgrade\r\nUpgrade: other\r\n\r\n", /^HTTP\/1.1 403 /, 403, "", "upgrade_failed", "http.in.downstream_rq_4xx"],
  ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", /^HTTP\/1.1 403 /, 403, "", "upgrade_failed", "http.in.downstream_cx_protocol_error"],
  ["a head that is too large", `GET / HTTP/1.1\r\nHost: ok\r\nx: ${"x".repeat(70_000)}\r\n\r\n`, /^HTTP\/1.1 431 /, 431, "DPE", "http1.headers_too_large", "http.in.downstream_rq_too_large"],
  ["too many headers", `GET / HTTP/1.1\r\nHost: ok\r\n${"x: y\r\n".repeat(101)}\r\n`, /^HTTP\/1.1 431 /, 431, "DPE", "http1.too_many_headers", "http.in.downstream_rq_too_large"],
  ["what is not HTTP", "what?\r\n\r\n", /^HTTP\/1.1 400 /, 400, "DPE", "http1.codec_error", "http.in.downstream_cx_protocol_error"],
  ["another transfer coding", `${head("ok", "Transfer-Encoding: gzip, chunked\r\n")}\r\n`, /^HTTP\/1.1 501 /, 501, "DPE", "http1.invalid_transfer_encoding", "http.in.downstream_cx_protocol_error"],
]; // prettier-ignore

test("requests that are wrong, slow or too large have Envoy's answers and details", async () => {
  const logged: Logged[] = [];
  await using world = await startWorld(logged);
  const { proxy } = world;
  for (const [what, bytes, answer, status, flags, details, stat] of rawRows) {
    const before = proxy.stat(stat);
    logged.length = 0;
    const port = proxy.port(stat.startsWith("http.timed") ? "timed" : "in");
    assert.match(await exchange(port, bytes), answer, what);
    await eventually(() => logged.length > 0, `the log of ${what}`);
    const line = logged[0];
    assert.deepEqual([line?.status, line?.flags, line?.details], [status, flags, details], what);
    await eventually(() => proxy.stat(stat) > before, `${stat} of ${what}`);
  }
});

test("a body that becomes larger than what may be kept while its request waits to be tried again is refused", async () => {
  const logged: Logged[] = [];
  await using world = await startWorld(logged);
  const { proxy } = world;
  const socket = connect(proxy.port("in"), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write(`${head("kept", "Content-Length: 1000\r\n")}\r\nfirst`);
  await eventually(() => proxy.stat("cluster.bad.upstream_rq_retry") === 1, "the back-off");
  socket.write("x".repeat(500));
  await eventually(() => text.endsWith("exceeded request buffer limit while retrying upstream"), "the answer");
  assert.match(text, /^HTTP\/1\.1 507 /);
  await eventually(() => logged.length > 0, "the log");
  assert.deepEqual(
    [logged[0]?.status, logged[0]?.flags, logged[0]?.details],
    [507, "", "request_payload_exceeded_retry_buffer_limit"],
  );
  assert.equal(proxy.stat("cluster.bad.retry_or_shadow_abandoned"), 1);
  socket.destroy();
});

test("a client that goes away, or gives its stream up, has no status", async () => {
  const logged: Logged[] = [];
  await using world = await startWorld(logged);
  const { proxy } = world;
  const socket = connect(proxy.port("in"), "127.0.0.1", () =>
    socket.write("GET /leaves HTTP/1.1\r\nHost: hangs\r\n\r\n"),
  );
  await eventually(() => proxy.stat("cluster.silent.upstream_rq_active") === 1, "the request");
  socket.destroy();
  await eventually(() => logged.length === 1, "its end");
  assert.deepEqual(
    [logged[0]?.status, logged[0]?.flags, logged[0]?.details],
    [0, "DC", "downstream_remote_disconnect"],
  );
  using caller = new Http2Caller(proxy.port("in"));
  const stream = caller.session.request({ ":path": "/gives-up", ":authority": "hangs" });
  stream.on("error", () => undefined);
  await eventually(() => proxy.stat("cluster.silent.upstream_rq_active") === 1, "the stream");
  stream.close(8);
  await eventually(() => logged.length === 2, "its end");
  assert.deepEqual([logged[1]?.status, logged[1]?.flags, logged[1]?.details], [0, "DR", "http2.remote_reset"]);
});

test("a time-out is a 204 for who asks for that", async () => {
  const logged: Logged[] = [];
  await using world = await startWorld(logged);
  const headers = { host: "slow", "x-envoy-upstream-rq-timeout-alt-response": "1" };
  const answer = await call(world.proxy.port("in"), { headers });
  assert.deepEqual([answer.status, answer.body], [204, ""]);
  assert.deepEqual([logged[0]?.flags, logged[0]?.details], ["UT", "response_timeout"]);
});

test("a listener whose routes did not come says so", async () => {
  const logged: Logged[] = [];
  const info = (facts: Logged): void => void ("details" in facts && logged.push(facts));
  const logger = { debug() {}, warn() {}, error() {}, info };
  await using proxy = new TestProxy({ logger, accessLog: true });
  await proxy.apply({ listeners: [listener("in", 0)] });
  proxy.runtime.giveUpOn(typeUrls.route);
  await eventually(() => proxy.runtime.listeners().some(({ state }) => state === "active"), "the listener");
  const answer = await call(proxy.port("in"), { path: "/x" });
  assert.deepEqual([answer.status, answer.body], [404, ""]);
  assert.deepEqual([logged[0]?.flags, logged[0]?.details], ["NR", "route_configuration_not_found"]);
  assert.equal(proxy.stat("http.in.no_route"), 1);
});

interface RunningWorld extends AsyncDisposable {
  readonly proxy: TestProxy;
}

async function startWorld(logged: Logged[]): Promise<RunningWorld> {
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
    { logger, accessLog: true, random: () => 0.99 },
  );
  stack.use(proxy);
  return { proxy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
