import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores } from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { SubstitutionFormatStringSchema } from "@fairlead/envoy-api/envoy/config/core/v3/substitution_format_string_pb.js";
import {
  HttpConnectionManager_ForwardClientCertDetails as Forward,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { HttpProtocolOptionsSchema as UpstreamOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend, RawBackend } from "../testing/backend.ts";
import { type Answer, call, exchange, keepAliveAgent } from "../testing/client.ts";
import { Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, duration, endpoints, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

type Init = NonNullable<Parameters<typeof listener>[2]>;

/** Says what it got. */
function app(): Promise<Backend> {
  return Backend.start((request, response) => {
    request.resume();
    response.setHeader("via", "1.1 app");
    response.end(JSON.stringify({ ":path": request.url, ...request.headers }));
  });
}

async function start(backend: Backend, init: Init): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, init)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

function seen(answer: Answer): Record<string, string> {
  const parsed: Record<string, string> = JSON.parse(answer.body);
  return parsed;
}

test("escaped slashes are kept, refused, sent back or passed on as slashes", async () => {
  await using backend = await app();
  const ask = async (action: Slashes, path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    await using proxy = await start(backend, { pathWithEscapedSlashesAction: action });
    return await call(proxy.port("in"), { path, headers });
  };
  const path = "/a%2Fb/%2e%2e/c%5cd?x=%2F";
  assert.equal(seen(await ask(Slashes.KEEP_UNCHANGED, path))[":path"], "/c%5Cd?x=%2F");
  assert.equal((await ask(Slashes.REJECT_REQUEST, path)).status, 400);
  assert.equal(seen(await ask(Slashes.REJECT_REQUEST, "/c?x=%2F"))[":path"], "/c?x=%2F");
  const back = await ask(Slashes.UNESCAPE_AND_REDIRECT, path);
  assert.deepEqual([back.status, back.headers.location], [307, "/a/c/d?x=%2F"]);
  assert.equal(seen(await ask(Slashes.UNESCAPE_AND_REDIRECT, "/a/../b"))[":path"], "/b");
  const grpc = await ask(Slashes.UNESCAPE_AND_REDIRECT, path, { "content-type": "application/grpc" });
  assert.equal(grpc.headers["grpc-status"], "13");
  assert.equal(seen(await ask(Slashes.UNESCAPE_AND_FORWARD, path))[":path"], "/a/c/d?x=%2F");
});

test("headers with an underscore pass, are dropped, or have the request refused", async () => {
  await using backend = await app();
  const ask = async (headersWithUnderscoresAction: Underscores): Promise<Answer> => {
    await using proxy = await start(backend, { commonHttpProtocolOptions: { headersWithUnderscoresAction } });
    return await call(proxy.port("in"), { headers: { a_b: "1", "a-b": "2", c_d: "3" } });
  };
  assert.equal(seen(await ask(Underscores.ALLOW))["a_b"], "1");
  const dropped = seen(await ask(Underscores.DROP_HEADER));
  assert.deepEqual([dropped["a_b"], dropped["a-b"], dropped["c_d"]], [undefined, "2", undefined]);
  assert.equal((await ask(Underscores.REJECT_REQUEST)).status, 400);
});

test("ports and the last dot of a host are taken off", async () => {
  await using backend = await app();
  const host = async (init: Init, given: (port: number) => string): Promise<string | undefined> => {
    await using proxy = await start(backend, init);
    const port = proxy.port("in");
    return seen(await call(port, { headers: { host: given(port) } }))["host"];
  };
  const any: Init = { stripPortMode: { case: "stripAnyHostPort", value: true } };
  assert.equal(await host({ stripMatchingHostPort: true }, (port) => `a:${port}`), "a");
  assert.equal(await host({ stripMatchingHostPort: true }, () => "a:1"), "a:1");
  assert.equal(await host(any, () => "a:1"), "a");
  assert.equal(await host(any, () => "[::1]:1"), "[::1]");
  assert.equal(await host(any, () => "[::1]"), "[::1]");
  assert.equal(await host({ stripTrailingHostDot: true }, () => "a.b.:1"), "a.b:1");
  assert.equal(await host({ stripTrailingHostDot: true, ...any }, () => "a.b.:1"), "a.b");
});

test("via is appended on both ways, and the request's id told to the client, where the listener says so", async () => {
  await using backend = await app();
  await using proxy = await start(backend, { via: "1.1 mesh", alwaysSetRequestIdInResponse: true });
  const answer = await call(proxy.port("in"), { headers: { via: "1.1 client", "x-request-id": "mine" } });
  assert.equal(seen(answer)["via"], "1.1 client, 1.1 mesh");
  assert.equal(answer.headers["via"], "1.1 app, 1.1 mesh");
  assert.equal(answer.headers["x-request-id"], "mine");
});

test("at the edge an id from outside is replaced, unless it is to stay; x-forwarded-for may stay as it is", async () => {
  await using backend = await app();
  const headers = { "x-request-id": "theirs", "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https" };
  await using edge = await start(backend, { useRemoteAddress: true });
  const first = seen(await call(edge.port("in"), { headers }));
  assert.match(first["x-request-id"] ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(first["x-forwarded-proto"], "http");
  await using keeps = await start(backend, {
    useRemoteAddress: true,
    preserveExternalRequestId: true,
    skipXffAppend: true,
    xffNumTrustedHops: 1,
  });
  const second = seen(await call(keeps.port("in"), { headers }));
  assert.deepEqual([second["x-request-id"], second["x-forwarded-for"]], ["theirs", "10.0.0.1"]);
  // The proxy in front is trusted.
  assert.equal(second["x-forwarded-proto"], "https");
  assert.equal(second["x-envoy-external-address"], "10.0.0.1");
});

test("nobody is from inside behind another proxy", async () => {
  await using backend = await app();
  const internalAddressConfig = { cidrRanges: [{ addressPrefix: "10.0.0.0", prefixLen: 8 }] };
  await using proxy = await start(backend, { internalAddressConfig });
  const internal = async (forwarded: string): Promise<string | undefined> =>
    seen(await call(proxy.port("in"), { headers: { "x-forwarded-for": forwarded } }))["x-envoy-internal"];
  assert.equal(await internal("10.0.0.1"), "true");
  assert.equal(await internal("192.0.2.1,10.0.0.1"), undefined);
  assert.equal(await internal("192.0.2.1"), undefined);
});

test("x-forwarded-client-cert of a client without a certificate is not believed, unless all are", async () => {
  await using backend = await app();
  const claim = async (forwardClientCertDetails: Forward): Promise<string | undefined> => {
    await using proxy = await start(backend, { forwardClientCertDetails });
    return seen(await call(proxy.port("in"), { headers: { "x-forwarded-client-cert": "By=a" } }))[
      "x-forwarded-client-cert"
    ];
  };
  for (const mode of [Forward.SANITIZE, Forward.FORWARD_ONLY, Forward.APPEND_FORWARD, Forward.SANITIZE_SET])
    assert.equal(await claim(mode), undefined, Forward[mode]);
  assert.equal(await claim(Forward.ALWAYS_FORWARD_ONLY), "By=a");
});

test("a connection ends after so many requests", async () => {
  await using backend = await app();
  await using proxy = await start(backend, { commonHttpProtocolOptions: { maxRequestsPerConnection: 2 } });
  const agent = keepAliveAgent(1);
  const answers: (string | undefined)[] = [];
  for (let i = 0; i < 4; i++) answers.push((await call(proxy.port("in"), { agent })).headers.connection);
  agent.destroy();
  assert.deepEqual(
    answers,
    ["keep-alive", "close", "keep-alive", "close"].map((it) => (it === "close" ? it : answers[0])),
  );
  assert.equal(proxy.stat("http.in.downstream_cx_total"), 2);
  assert.equal(proxy.stat("http.in.downstream_cx_max_requests_reached"), 2);
  using caller = new Http2Caller(proxy.port("in"));
  for (let i = 0; i < 2; i++) assert.equal((await caller.call({ ":path": "/" })).status, 200);
  await until("GOAWAY", () => caller.goAways.length > 0);
});

test("a connection that is too old ends, an idle one too, but no request with it", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    setTimeout(() => response.end("late"), 150);
  });
  await using proxy = await start(backend, {
    commonHttpProtocolOptions: { maxConnectionDuration: duration(50) },
    drainTimeout: duration(20),
  });
  const agent = keepAliveAgent(1);
  const answer = await call(proxy.port("in"), { agent });
  assert.deepEqual([answer.body, answer.headers.connection], ["late", "close"]);
  agent.destroy();
  // Nothing was asked on this one.
  assert.equal(await exchange(proxy.port("in"), ""), "");
  assert.equal(proxy.stat("http.in.downstream_cx_max_duration_reached"), 2);
});

test("HTTP/1.0 and chunked requests with a length pass where the listener takes them", async () => {
  await using backend = await app();
  await using proxy = await start(backend, { httpProtocolOptions: { acceptHttp10: true, allowChunkedLength: true } });
  const old = await exchange(proxy.port("in"), "GET /x HTTP/1.0\r\nHost: a\r\n\r\n");
  assert.match(old, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(old, /\r\nconnection: close\r\n/);
  assert.doesNotMatch(old, /transfer-encoding/);
  assert.match(old, /"host":"a"/);
  const both =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  const chunked = await exchange(proxy.port("in"), both);
  assert.match(chunked, /"transfer-encoding":"chunked"/);
  assert.doesNotMatch(chunked, /"content-length"/);
  await using strict = await start(backend, {});
  assert.match(await exchange(strict.port("in"), both), /^HTTP\/1\.1 400 /);
  assert.match(await exchange(strict.port("in"), "GET / HTTP/1.0\r\nHost: a\r\n\r\n"), /^HTTP\/1\.1 426 /);
});

test("the proxy's own replies become what the listener makes of them", async () => {
  await using backend = await app();
  const status = (value: number) => ({
    filterSpecifier: {
      case: "statusCodeFilter" as const,
      value: { comparison: { op: 0, value: { defaultValue: value, runtimeKey: "x" } } },
    },
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("in", 0, {
        localReplyConfig: {
          mappers: [
            {
              filter: status(404),
              statusCode: 410,
              body: { specifier: { case: "inlineString", value: "gone" } },
              headersToAdd: [{ header: { key: "x-why", value: "%RESPONSE_CODE_DETAILS%" } }],
            },
          ],
          bodyFormat: create(SubstitutionFormatStringSchema, {
            format: { case: "textFormat", value: "<b>%LOCAL_REPLY_BODY%</b> %RESPONSE_CODE%" },
            contentType: "text/html; charset=utf-8",
          }),
        },
      }),
    ],
    routes: [routes("in", toCluster("none", "missing"), toCluster("a", "a"))],
  });
  const gone = await call(proxy.port("in"), { headers: { host: "nobody" } });
  assert.deepEqual([gone.status, gone.body], [410, "<b>gone</b> 410"]);
  assert.deepEqual(
    [gone.headers["content-type"], gone.headers["x-why"]],
    ["text/html; charset=utf-8", "route_not_found"],
  );
  const missing = await call(proxy.port("in"), { headers: { host: "none" } });
  assert.deepEqual([missing.status, missing.body], [503, "<b></b> 503"]);
  assert.equal((await call(proxy.port("in"), { headers: { host: "a" } })).status, 200);
  const grpc = await call(proxy.port("in"), { headers: { host: "nobody", "content-type": "application/grpc" } });
  assert.deepEqual([grpc.status, grpc.headers["grpc-status"]], [200, "2"]);
});

test("names of headers are written as hosts and clients want them", async () => {
  let got = "";
  await using backend = await RawBackend.start((socket) => {
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-app: a: b\r\n\r\nok");
    });
  });
  const headerKeyFormat = { headerFormat: { case: "properCaseWords" as const, value: {} } };
  const options = create(UpstreamOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "httpProtocolOptions", value: { headerKeyFormat } } },
    },
  });
  await using proxy = await TestProxy.start({
    clusters: [
      cluster("a", {
        typedExtensionProtocolOptions: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(UpstreamOptionsSchema, options),
        },
      }),
    ],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0, { httpProtocolOptions: { headerKeyFormat } })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const text = await exchange(proxy.port("in"), "GET /a:b HTTP/1.1\r\nHost: h\r\nX-mY-app: v: w\r\n\r\n", "ok");
  assert.match(text, /^HTTP\/1.1 200 OK\r\n/);
  assert.match(text, /\r\nContent-Length: 2\r\nX-App: a: b\r\n/);
  assert.match(got, /^GET \/a:b HTTP\/1.1\r\nHost: h\r\nX-My-App: v: w\r\n/);
});
