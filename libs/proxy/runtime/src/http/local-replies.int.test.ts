import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { parseOverloadActions } from "@fairlead/proxy-overload";
import { until } from "@fairlead/testing-basics";
import { call, exchange } from "../testing/client.ts";
import { Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener } from "../testing/resources.ts";
import { type Logged, startWorldOfFailures } from "../testing/world-of-failures.ts";

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
  ["unhealthy", 503, "", 14, "LH", "health_check_failed_cluster_empty", "http.in.downstream_rq_completed"],
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
  await using world = await startWorldOfFailures(logged);
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
        await until(`the log of ${where}`, () => logged.length > 0);
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
  await using world = await startWorldOfFailures(logged);
  const { proxy } = world;
  for (const [what, bytes, answer, status, flags, details, stat] of rawRows) {
    const before = proxy.stat(stat);
    logged.length = 0;
    const port = proxy.port(stat.startsWith("http.timed") ? "timed" : "in");
    assert.match(await exchange(port, bytes), answer, what);
    await until(`the log of ${what}`, () => logged.length > 0);
    const line = logged[0];
    assert.deepEqual([line?.status, line?.flags, line?.details], [status, flags, details], what);
    await until(`${stat} of ${what}`, () => proxy.stat(stat) > before);
  }
});

test("a body that becomes larger than what may be kept while its request waits to be tried again is refused", async () => {
  const logged: Logged[] = [];
  await using world = await startWorldOfFailures(logged);
  const { proxy } = world;
  const socket = connect(proxy.port("in"), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write(`${head("kept", "Content-Length: 1000\r\n")}\r\nfirst`);
  await until("the back-off", () => proxy.stat("cluster.bad.upstream_rq_retry") === 1);
  socket.write("x".repeat(500));
  await until("the answer", () => text.endsWith("exceeded request buffer limit while retrying upstream"));
  assert.match(text, /^HTTP\/1\.1 507 /);
  await until("the log", () => logged.length > 0);
  assert.deepEqual(
    [logged[0]?.status, logged[0]?.flags, logged[0]?.details],
    [507, "", "request_payload_exceeded_retry_buffer_limit"],
  );
  assert.equal(proxy.stat("cluster.bad.retry_or_shadow_abandoned"), 1);
  socket.destroy();
});

test("a client that goes away, or gives its stream up, has no status", async () => {
  const logged: Logged[] = [];
  await using world = await startWorldOfFailures(logged);
  const { proxy } = world;
  const socket = connect(proxy.port("in"), "127.0.0.1", () =>
    socket.write("GET /leaves HTTP/1.1\r\nHost: hangs\r\n\r\n"),
  );
  await until("the request", () => proxy.stat("cluster.silent.upstream_rq_active") === 1);
  socket.destroy();
  await until("its end", () => logged.length === 1);
  assert.deepEqual(
    [logged[0]?.status, logged[0]?.flags, logged[0]?.details],
    [0, "DC", "downstream_remote_disconnect"],
  );
  using caller = new Http2Caller(proxy.port("in"));
  const stream = caller.session.request({ ":path": "/gives-up", ":authority": "hangs" });
  stream.on("error", () => undefined);
  await until("the stream", () => proxy.stat("cluster.silent.upstream_rq_active") === 1);
  stream.close(8);
  await until("its end", () => logged.length === 2);
  assert.deepEqual([logged[1]?.status, logged[1]?.flags, logged[1]?.details], [0, "DR", "http2.remote_reset"]);
});

test("a time-out is a 204 for who asks for that", async () => {
  const logged: Logged[] = [];
  await using world = await startWorldOfFailures(logged);
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
  await until("the listener", () => proxy.runtime.listeners().some(({ state }) => state === "active"));
  const answer = await call(proxy.port("in"), { path: "/x" });
  assert.deepEqual([answer.status, answer.body], [404, ""]);
  assert.deepEqual([logged[0]?.flags, logged[0]?.details], ["NR", "route_configuration_not_found"]);
  assert.equal(proxy.stat("http.in.no_route"), 1);
});

test("a proxy that is to be left fails its health check; one that has too much to do refuses", async () => {
  const logged: Logged[] = [];
  const asGrpc = { "content-type": "application/grpc" };
  {
    await using world = await startWorldOfFailures(logged);
    world.proxy.runtime.failHealthCheck(true);
    const answer = await call(world.proxy.port("in"), { headers: { host: "unhealthy" } });
    assert.deepEqual([answer.status, answer.body], [503, ""]);
    assert.equal(answer.headers["x-envoy-immediate-health-check-fail"], "true");
    await until("the log", () => logged.length > 0);
    assert.deepEqual([logged[0]?.flags, logged[0]?.details], ["LH", "health_check_failed"]);
  }
  // Any process uses more than one byte.
  const overload = { maxMemoryBytes: 1, triggers: parseOverloadActions("stop_accepting_requests=memory:0.95") };
  await using world = await startWorldOfFailures(logged, { overload });
  const { proxy } = world;
  await until("the action", () => proxy.stat("overload.envoy.overload_actions.stop_accepting_requests.active") === 1);
  for (const ask of Object.values(asks)) {
    logged.length = 0;
    const answer = await ask(proxy, "ok", {});
    assert.deepEqual([answer.status, answer.body], [503, "envoy overloaded"]);
    const grpc = await ask(proxy, "ok", asGrpc);
    assert.deepEqual(
      [grpc.status, grpc.headers["grpc-status"], grpc.headers["grpc-message"]],
      [200, "14", "envoy overloaded"],
    );
    await until("the log", () => logged.length === 2);
    for (const { flags, details } of logged) assert.deepEqual([flags, details], ["OM", "overload"]);
  }
  assert.equal(proxy.stat("http.in.downstream_rq_overload_close"), 4);
});
