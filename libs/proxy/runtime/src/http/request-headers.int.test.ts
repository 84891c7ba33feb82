import assert from "node:assert/strict";
import { test } from "node:test";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { CorsSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManager_ServerHeaderTransformation as ServerHeader } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { registerStreamFilter } from "@fairlead/proxy-filter";
import { Backend } from "../testing/backend.ts";
import { call, exchange } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

/** Answers with what it got. */
function mirror(): Promise<Backend> {
  return Backend.start((request, response) => {
    request.resume();
    response.setHeader("server", "app");
    response.end(JSON.stringify({ url: request.url, headers: request.headers, raw: request.rawHeaders }));
  });
}

interface Seen {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly raw: readonly string[];
}

function seen(text: string): Seen {
  const parsed: Seen = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  return parsed;
}

test("headers of the connection stay on it, names are in lower case, the trace goes on", async () => {
  await using backend = await mirror();
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const text = await exchange(
    proxy.port("in"),
    "GET http://real:1/x HTTP/1.1\r\nHost: other\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nUpgrade: websocket\r\nTE: trailers\r\n" +
      "Keep-Alive: timeout=1\r\nTraceParent: 00-a-b-01\r\nX-Request-Id: mine\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n",
  );
  const { url, headers, raw } = seen(text);
  assert.equal(url, "/x");
  assert.deepEqual(headers, {
    host: "real:1",
    te: "trailers",
    traceparent: "00-a-b-01",
    "x-request-id": "mine",
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-proto": "http",
    "x-envoy-expected-rq-timeout-ms": "15000",
  });
  assert(raw.every((name, i) => i % 2 === 1 || name === name.toLowerCase()));
});

test("at the edge the client's address is appended, and its words about the scheme are not believed", async () => {
  await using backend = await mirror();
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { useRemoteAddress: true, serverHeaderTransformation: ServerHeader.PASS_THROUGH })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const answer = await call(proxy.port("in"), {
    headers: { "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https" },
  });
  const { headers } = seen(answer.body);
  assert.equal(headers["x-forwarded-for"], "10.0.0.1,127.0.0.1");
  assert.equal(headers["x-forwarded-proto"], "http");
  assert.equal(answer.headers.server, "app");
});

test("a registered filter sees requests and responses, may wait and may answer itself", async () => {
  const typeUrl = `type.googleapis.com/${CorsSchema.typeName}`;
  registerStreamFilter(typeUrl, () => (callbacks) => ({
    onRequestHead(head) {
      if (head.path === "/no") callbacks.sendLocalReply({ status: 403, body: "no", details: "test" });
      else setImmediate(() => callbacks.continueRequest());
      head.headers.set("x-filter", "was here");
      return "stop";
    },
    onResponseHead: (head) => head.headers.set("x-filter", "was here too"),
  }));
  await using backend = await mirror();
  const httpFilters = [
    { name: "test", configType: { case: "typedConfig" as const, value: anyPack(CorsSchema, create(CorsSchema)) } },
    {
      name: "router",
      configType: { case: "typedConfig" as const, value: anyPack(RouterSchema, create(RouterSchema)) },
    },
  ];
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { httpFilters })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const passed = await call(proxy.port("in"), { method: "POST", body: "x".repeat(300_000) });
  assert.equal(seen(passed.body).headers["x-filter"], "was here");
  assert.equal(passed.headers["x-filter"], "was here too");
  const refused = await call(proxy.port("in"), { path: "/no" });
  assert.deepEqual([refused.status, refused.body, refused.headers["x-filter"]], [403, "no", "was here too"]);
  assert.equal(backend.requests, 1);
});

test("the access log has a line for each request, when it is on", async () => {
  const lines: object[] = [];
  const logger = { debug() {}, warn() {}, error() {}, info: (facts: object) => lines.push(facts) };
  await using proxy = await TestProxy.start(
    { listeners: [listener("in", 0)], routes: [routes("in")] },
    { logger, accessLog: true },
  );
  await call(proxy.port("in"), { path: "/x", headers: { host: "nobody" } });
  assert.equal(lines.length, 1);
  const expected = {
    listener: "in",
    authority: "nobody",
    path: "/x",
    status: 404,
    flags: "NR",
    details: "route_not_found",
  };
  assert.partialDeepStrictEqual(lines[0], expected);
});
