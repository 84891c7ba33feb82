import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { HeaderMap } from "@fairlead/proxy-stream";
import { StreamInfo } from "../stream-info.ts";
import { compileJsonFormat } from "./json-format.ts";
import { compileTextFormat, defaultTextFormat } from "./text-format.ts";

const client = {
  remoteAddress: "10.0.0.9",
  remotePort: 4711,
  localAddress: "::1",
  localPort: 8080,
  id: 3,
  tls: {
    serverName: "shop.example",
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    peerSubject: "CN=client,O=acme",
    peerUriSans: "spiffe://mesh/client",
    peerDnsSans: "",
    peerChain: [],
    localUriSans: "",
  },
};

function finished(): StreamInfo {
  const info = new StreamInfo(1000, client);
  info.setRequest({
    method: "POST",
    path: "/new?a=1&b=two%20words",
    authority: "shop",
    scheme: "https",
    headers: new HeaderMap([
      ..."content-type application/grpc user-agent curl/8 x-request-id r-1 x-envoy-original-path /old?a=0".split(" "),
      "traceparent",
      `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`,
      "x-quoted",
      'say "a"\nb',
    ]),
  });
  info.setResponse({ status: 200, headers: new HeaderMap(["x-envoy-upstream-service-time", "7"]) });
  info.setTrailers(new HeaderMap(["grpc-status", "4", "x-t", "end"]));
  info.setUpstream({ remoteAddress: "10.0.0.2", remotePort: 80, localAddress: "10.0.0.1", localPort: 33_000, id: 4 });
  info.setClientAddress("203.0.113.7");
  return Object.assign(info, {
    requestEndMs: 1010.9,
    upstreamStartMs: 1012,
    responseStartMs: 1020.5,
    endMs: 1030.4,
    requestId: "r-1",
    protocol: "http2",
    status: 200,
    details: "via_upstream",
    flags: "UF,URX",
    routeName: "main",
    cluster: "outbound|shop",
    upstreamHost: "10.0.0.2:80",
    upstreamHostname: "shop-1",
    upstreamProtocol: "http1",
    attempts: 2,
    bytesReceived: 5,
    bytesSent: 6,
    filterChain: "tls",
    connectionTermination: "tcp_session_idle_timeout",
    downstreamTransportFailure: "wrong version number",
    virtualCluster: "orders",
  });
}
const nothing = () =>
  new StreamInfo(1, { remoteAddress: "10.0.0.9", remotePort: 1, localAddress: "10.0.0.1", localPort: 2 });

const render = (text: string, info: StreamInfo) => compileTextFormat(text, { omitEmpty: false })?.(info);

/** Those that operators' users expect to be there, in text and in JSON. */
const cases: readonly (readonly [string, string])[] = [
    ["PROTOCOL", "HTTP/2"], ["UPSTREAM_PROTOCOL", "HTTP/1.1"], ["RESPONSE_CODE", "200"], ["RESPONSE_CODE_DETAILS", "via_upstream"],
    ["RESPONSE_FLAGS", "UF,URX"], ["RESPONSE_FLAGS_LONG", "UpstreamConnectionFailure,UpstreamRetryLimitExceeded"],
    ["BYTES_RECEIVED", "5"], ["BYTES_SENT", "6"], ["DURATION", "30"], ["REQUEST_DURATION", "10"], ["REQUEST_TX_DURATION", "12"],
    ["RESPONSE_DURATION", "20"], ["RESPONSE_TX_DURATION", "9"], ["REQ(User-Agent)", "curl/8"], ["REQUEST_HEADER(:METHOD)", "POST"],
    ["REQ(x-none?:path):4", "/new"], ["RESP(x-envoy-upstream-service-time)", "7"], ["RESPONSE_HEADER(:status)", "200"],
    ["TRAILER(x-t)", "end"], ["RESPONSE_TRAILER(x-none)", "-"], ["PATH(NQ:ORIG)", "/old"], ["PATH(WQ:PATH)", "/new?a=1&b=two%20words"],
    ["PATH(NQ)", "/old"], ["QUERY_PARAM(a)", "0"], ["ROUTE_NAME", "main"], ["UPSTREAM_CLUSTER", "outbound|shop"],
    ["VIRTUAL_CLUSTER_NAME", "orders"], ["UPSTREAM_HOST", "10.0.0.2:80"], ["UPSTREAM_HOST_NAME", "shop-1"],
    ["UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "10.0.0.2"], ["UPSTREAM_LOCAL_ADDRESS", "10.0.0.1:33000"],
    ["UPSTREAM_REQUEST_ATTEMPT_COUNT", "2"], ["UPSTREAM_TRANSPORT_FAILURE_REASON", "-"], ["UPSTREAM_CONNECTION_ID", "4"],
    ["DOWNSTREAM_REMOTE_ADDRESS", "203.0.113.7:0"], ["DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "203.0.113.7"],
    ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "10.0.0.9:4711"], ["DOWNSTREAM_DIRECT_REMOTE_PORT", "4711"],
    ["DOWNSTREAM_LOCAL_ADDRESS", "[::1]:8080"], ["DOWNSTREAM_LOCAL_PORT", "8080"], ["REQUESTED_SERVER_NAME", "shop.example"],
    ["DOWNSTREAM_PEER_URI_SAN", "spiffe://mesh/client"], ["DOWNSTREAM_LOCAL_URI_SAN", "-"], ["DOWNSTREAM_PEER_SUBJECT", "CN=client,O=acme"],
    ["DOWNSTREAM_TLS_VERSION", "TLSv1.3"], ["DOWNSTREAM_TLS_CIPHER", "TLS_AES_128_GCM_SHA256"], ["GRPC_STATUS", "DeadlineExceeded"],
    ["GRPC_STATUS(SNAKE_STRING)", "DEADLINE_EXCEEDED"], ["GRPC_STATUS(NUMBER)", "4"], ["GRPC_STATUS_NUMBER", "4"], ["CONNECTION_ID", "3"],
    ["STREAM_ID", "r-1"], ["TRACE_ID", "ab".repeat(16)], ["FILTER_CHAIN_NAME", "tls"], ["ACCESS_LOG_TYPE", "DownstreamEnd"],
    ["LOCAL_REPLY_BODY", "-"], ["DYNAMIC_METADATA(a:b)", "-"], ["FILTER_STATE(a)", "-"], ["ENVIRONMENT(FAIRLEAD_TEST_NONE)", "-"],
    ["METADATA(ROUTE:a:b)", "-"], ["UPSTREAM_CLUSTER_RAW", "outbound|shop"], ["UPSTREAM_REMOTE_ADDRESS", "10.0.0.2:80"],
    ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "10.0.0.9"], ["DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "::1"],
    ["DOWNSTREAM_REMOTE_PORT", "0"], ["DOWNSTREAM_TRANSPORT_FAILURE_REASON", "wrong_version_number"], ["CONNECTION_TERMINATION_DETAILS", "tcp_session_idle_timeout"],
    ["METADATA(VIRTUAL_HOST:a:b)", "-"], ["METADATA(CLUSTER:a)", "-"], ["METADATA(UPSTREAM_HOST:a:b:c)", "-"], ["METADATA(DYNAMIC:a)", "-"],
    ["CLUSTER_METADATA(a:b)", "-"], ["UPSTREAM_METADATA(a:b)", "-"], ["HOSTNAME", hostname()], ["GRPC_STATUS(CAMEL_STRING)", "DeadlineExceeded"],
]; // prettier-ignore

test("each operator says what is known of a finished stream", () => {
  for (const [operator, expected] of cases) assert.equal(render(`%${operator}%`, finished()), expected, operator);
  assert.match(render("%UNIQUE_ID%", finished()) ?? "", /^[0-9a-f-]{36}$/);
});

test("each operator says the same in JSON: numbers as numbers, what is not known as null", () => {
  for (const [operator, expected] of cases) {
    const line = compileJsonFormat({ it: `%${operator}%` }, { omitEmpty: false })?.(finished()) ?? "";
    const { it }: { readonly it: string | number | null } = JSON.parse(line);
    assert.equal(`${it ?? "-"}`, expected, operator);
  }
  const { it } = JSON.parse(
    compileJsonFormat({ it: { code: "%RESPONSE_CODE%", ms: "%DURATION%" } }, { omitEmpty: false })?.(finished()) ?? "",
  );
  assert.deepEqual(it, { code: 200, ms: 30 });
});

test("every operator that must be there is tried", () => {
  const musts =
    "PROTOCOL UPSTREAM_PROTOCOL RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_FLAGS RESPONSE_FLAGS_LONG CONNECTION_TERMINATION_DETAILS BYTES_RECEIVED BYTES_SENT DURATION REQUEST_DURATION REQUEST_TX_DURATION RESPONSE_DURATION RESPONSE_TX_DURATION REQ REQUEST_HEADER RESP RESPONSE_HEADER TRAILER RESPONSE_TRAILER PATH QUERY_PARAM ROUTE_NAME VIRTUAL_CLUSTER_NAME UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_HOST UPSTREAM_HOST_NAME UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_LOCAL_PORT REQUESTED_SERVER_NAME DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_TLS_VERSION DOWNSTREAM_TLS_CIPHER GRPC_STATUS GRPC_STATUS_NUMBER CONNECTION_ID STREAM_ID UPSTREAM_CONNECTION_ID TRACE_ID HOSTNAME LOCAL_REPLY_BODY FILTER_CHAIN_NAME ACCESS_LOG_TYPE DYNAMIC_METADATA METADATA FILTER_STATE ENVIRONMENT"; // prettier-ignore
  const tried = new Set(cases.map(([operator]) => operator.split("(", 1)[0]));
  assert.deepEqual(
    musts.split(" ").filter((name) => !tried.has(name)),
    [],
  );
});

test("what did not happen is a dash", () => {
  for (const operator of [
    "DURATION",
    "RESPONSE_DURATION",
    "RESPONSE_TX_DURATION",
    "UPSTREAM_HOST",
    "UPSTREAM_LOCAL_ADDRESS",
    "GRPC_STATUS",
    "RESPONSE_FLAGS",
    "REQUESTED_SERVER_NAME",
    "REQ(a)",
    "TRACE_ID",
    "PATH(NQ)",
  ])
    assert.equal(render(`%${operator}%`, nothing()), "-", operator);
  assert.equal(render("%RESPONSE_CODE%", nothing()), "0");
});

test("the start is written as strftime would", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 10, 21, 13, 4, 5, 67) });
  const info = nothing();
  assert.equal(render("%START_TIME%", info), "2026-11-21T13:04:05.067Z");
  assert.equal(
    render("%START_TIME(%Y/%m/%dT%H:%M:%S.%3f %s %b %e 100%%)%", info),
    "2026/11/21T13:04:05.067 1795266245 Nov 21 100%",
  );
  assert.equal(render("%START_TIME(%6f %3s %f)%", info), "067000 1795266245067 067000000");
  assert.equal(render("%START_TIME(%Q)%", info), undefined);
  assert.equal(render("%START_TIME(%3Y)%", info), undefined);
});

test("the default line is Envoy's", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 30 });
  assert.equal(
    render(defaultTextFormat, finished()),
    '[1970-01-01T00:00:00.000Z] "POST /old?a=0 HTTP/2" 200 UF,URX 5 6 30 7 "-" "curl/8" "r-1" "shop" "10.0.0.2:80"\n',
  );
});

test("what a client sends cannot look like another field or line", () => {
  assert.equal(render("%REQ(x-quoted)%", finished()), "say \\x22a\\x22\\x0ab");
  const json = compileJsonFormat({ q: "%REQ(x-quoted)%" }, { omitEmpty: false })?.(finished());
  assert.equal(json, `${JSON.stringify({ q: 'say "a"\nb' })}\n`);
});

test("JSON keeps types; nothing is null, or left out", () => {
  const format = {
    status: "%RESPONSE_CODE%",
    to: { host: "%UPSTREAM_HOST%", none: "%REQ(none)%", list: ["%REQ(none)%", "%BYTES_SENT%", true] },
    text: "%PROTOCOL% %REQ(none)%",
    constant: 7,
  };
  const line = (omitEmpty: boolean): unknown =>
    JSON.parse(compileJsonFormat(format, { omitEmpty })?.(finished()) ?? "");
  assert.deepEqual(line(false), {
    status: 200,
    to: { host: "10.0.0.2:80", none: null, list: [null, 6, true] },
    text: "HTTP/2 -",
    constant: 7,
  });
  assert.deepEqual(line(true), {
    status: 200,
    to: { host: "10.0.0.2:80", list: [6, true] },
    text: "HTTP/2 ",
    constant: 7,
  });
});

test("what is not known is refused", () => {
  for (const text of [
    "%",
    "%NOBODY%",
    "%REQ%",
    "%REQ(a?b?c)%",
    "%PATH(XX)%",
    "%PROTOCOL(1)%",
    "%GRPC_STATUS(FOO)%",
    "%METADATA(ROUTE)%",
    "%METADATA(ROUTES:a)%",
    "%METADATA(ROUTE::a)%",
    "%DYNAMIC_METADATA%",
  ]) {
    assert.equal(compileTextFormat(text, { omitEmpty: false }), undefined, text);
    assert.equal(compileJsonFormat({ a: [{ b: text }] }, { omitEmpty: false }), undefined, text);
  }
});
