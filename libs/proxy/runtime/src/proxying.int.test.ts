import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { freePort, until } from "@fairlead/testing-basics";
import { Backend } from "./testing/backend.ts";
import { call, exchange, keepAliveAgent, to } from "./testing/client.ts";
import { TestProxy } from "./testing/proxy.ts";
import { cluster, duration, endpoints, listener, routes, staticCluster, toCluster } from "./testing/resources.ts";

test("a request goes through to its cluster and the response back", async () => {
  await using backend = await Backend.start((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      response.setHeader("x-seen", JSON.stringify(request.headers));
      response.end(`${request.method} ${request.url} ${body}`);
    });
  });
  await using proxy = await TestProxy.start({
    clusters: [cluster("a")],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("shop", "a"))],
  });
  const answer = await call(proxy.port("in"), { ...to("shop:80"), method: "POST", path: "/x/../y?q=1", body: "hello" });
  assert.equal(answer.status, 200);
  assert.equal(answer.body, "POST /y?q=1 hello");
  assert.equal(answer.headers.server, "fairlead");
  assert.match(answer.headers["x-envoy-upstream-service-time"]?.toString() ?? "", /^\d+$/);
  const seen: Record<string, string> = JSON.parse(answer.headers["x-seen"]?.toString() ?? "");
  assert.equal(seen["host"], "shop:80");
  assert.equal(seen["x-forwarded-proto"], "http");
  assert.match(seen["x-request-id"] ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(seen["x-forwarded-for"], undefined);
  assert.equal(proxy.stat("cluster.a.upstream_rq_2xx"), 1);
  assert.equal(proxy.stat("http.in.downstream_rq_2xx"), 1);
});

test("connections are kept on both sides", async () => {
  await using backend = await Backend.named("a");
  let connections = 0;
  backend.server.on("connection", () => connections++);
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const agent = keepAliveAgent(1);
  for (let i = 0; i < 20; i++) assert.equal((await call(proxy.port("in"), { agent })).body, "a");
  agent.destroy();
  assert.equal(connections, 1);
  assert.equal(proxy.stat("http.in.downstream_cx_total"), 1);
});

test("pipelined requests are answered one by one, in their order", async () => {
  await using backend = await Backend.start((request, response) => {
    setTimeout(() => response.end(request.url), request.url === "/1" ? 30 : 0);
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const last = "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const text = await exchange(proxy.port("in"), get("/1") + get("/2") + last);
  assert.deepEqual(text.match(/(?<=\r\n)\/\d/g), ["/1", "/2", "/3"]);
});

test("weighted clusters get their shares of a sequence of random numbers", async () => {
  await using heavy = await Backend.named("heavy");
  await using light = await Backend.named("light");
  let next = 0;
  await using proxy = await TestProxy.start(
    {
      clusters: [staticCluster("heavy", [heavy.port]), staticCluster("light", [light.port])],
      listeners: [listener("in", 0)],
      routes: [
        routes(
          "in",
          toCluster("*", "", {
            clusterSpecifier: {
              case: "weightedClusters",
              value: {
                clusters: [
                  { name: "heavy", weight: 90 },
                  { name: "light", weight: 10 },
                ],
              },
            },
          }),
        ),
      ],
    },
    // Evenly spread over [0, 1): the shares come out to the request.
    { random: () => ((next++ * 37) % 100) / 100 },
  );
  const agent = keepAliveAgent(4);
  await call(proxy.port("in"), { agent });
  await call(proxy.port("in"), { agent });
  heavy.requests = 0;
  light.requests = 0;
  for (let i = 0; i < 100; i++) await call(proxy.port("in"), { agent });
  agent.destroy();
  assert.equal(heavy.requests, 90);
  assert.equal(light.requests, 10);
});

test("what has no route, no cluster or no host is answered as Envoy does", async () => {
  const closed = await freePort();
  await using proxy = await TestProxy.start({
    clusters: [cluster("empty"), staticCluster("closed", [closed])],
    endpoints: [endpoints("empty", [])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("empty", "empty"), toCluster("closed", "closed"), toCluster("gone", "gone"))],
  });
  const port = proxy.port("in");
  const none = await call(port, to("other"));
  assert.deepEqual([none.status, none.body], [404, ""]);
  const missing = await call(port, to("gone"));
  assert.deepEqual([missing.status, missing.body], [503, ""]);
  const empty = await call(port, to("empty"));
  assert.deepEqual(
    [empty.status, empty.body, empty.headers["content-type"]],
    [503, "no healthy upstream", "text/plain"],
  );
  const refused = await call(port, to("closed"));
  assert.equal(refused.status, 503);
  assert.equal(
    refused.body,
    "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, " +
      "transport failure reason: delayed connect error: Connection refused",
  );
  assert.equal(proxy.stat("cluster.closed.upstream_cx_connect_fail"), 1);
  assert.equal(proxy.stat("http.in.no_route"), 1);
});

test("a connect failure is retried on another host", async () => {
  const closed = await freePort();
  await using backend = await Backend.named("a");
  await using proxy = await TestProxy.start(
    {
      clusters: [staticCluster("a", [closed, backend.port])],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a", { retryPolicy: { retryOn: "connect-failure" } }))],
    },
    { random: () => 0 },
  );
  for (let i = 0; i < 4; i++) assert.equal((await call(proxy.port("in"), { method: "POST", body: "x" })).body, "a");
  assert(proxy.stat("cluster.a.upstream_rq_retry_success") > 0);
});

test("a client that leaves during a back-off ends the retries", async () => {
  const closed = await freePort();
  const retryPolicy = { retryOn: "connect-failure", retryBackOff: { baseInterval: duration(60_000) } };
  await using proxy = await TestProxy.start(
    {
      clusters: [staticCluster("a", [closed])],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a", { retryPolicy }))],
    },
    { random: () => 0.9 },
  );
  const client = connect(proxy.port("in"), "127.0.0.1", () => client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await until("the request waits to be tried again", () => proxy.stat("cluster.a.upstream_rq_retry_active") === 1);
  client.destroy();
  await until("it does not wait any more", () => proxy.stat("cluster.a.upstream_rq_retry_active") === 0);
  assert.equal(proxy.runtime.activeRequests("a"), 0);
});

test("a response that a policy does not want is retried, and the last one passed on", async () => {
  let failures = 2;
  await using backend = await Backend.start((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      response.statusCode = failures-- > 0 ? 503 : 200;
      response.end(`${String(request.headers["x-envoy-attempt-count"])} ${body}`);
    });
  });
  const host = toCluster("*", "a", { retryPolicy: { retryOn: "5xx", numRetries: 2 } });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", { ...host, includeRequestAttemptCount: true })],
  });
  const answer = await call(proxy.port("in"), { method: "POST", body: "again" });
  assert.deepEqual([answer.status, answer.body], [200, "3 again"]);
  failures = 10;
  assert.equal((await call(proxy.port("in"))).status, 503);
  assert.equal(proxy.stat("cluster.a.upstream_rq_retry_limit_exceeded"), 1);
});

test("a route's and an attempt's time-out answer 504", async () => {
  await using backend = await Backend.start((request) => request.resume());
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [
      routes(
        "in",
        toCluster("route", "a", { timeout: duration(50) }),
        toCluster("try", "a", { retryPolicy: { retryOn: "5xx", numRetries: 1, perTryTimeout: duration(40) } }),
      ),
    ],
  });
  const route = await call(proxy.port("in"), to("route"));
  assert.deepEqual([route.status, route.body], [504, "upstream request timeout"]);
  const perTry = await call(proxy.port("in"), to("try"));
  assert.deepEqual([perTry.status, perTry.body], [504, "upstream request timeout"]);
  assert.equal(proxy.stat("cluster.a.upstream_rq_timeout"), 1);
  assert.equal(proxy.stat("cluster.a.upstream_rq_per_try_timeout"), 2);
  assert.equal(proxy.stat("cluster.a.upstream_rq_active"), 0);
});

test("a direct response and a redirect need no cluster", async () => {
  const prefix = { pathSpecifier: { case: "prefix", value: "/" } } as const;
  await using proxy = await TestProxy.start({
    listeners: [listener("in", 0)],
    routes: [
      routes(
        "in",
        {
          name: "d",
          domains: ["d"],
          routes: [
            {
              match: prefix,
              action: {
                case: "directResponse",
                value: { status: 418, body: { specifier: { case: "inlineString", value: "tea" } } },
              },
            },
          ],
        },
        {
          name: "r",
          domains: ["r"],
          routes: [
            {
              match: prefix,
              action: {
                case: "redirect",
                value: { schemeRewriteSpecifier: { case: "httpsRedirect", value: true }, hostRedirect: "x" },
              },
            },
          ],
        },
      ),
    ],
  });
  const direct = await call(proxy.port("in"), to("d"));
  assert.deepEqual([direct.status, direct.body], [418, "tea"]);
  const redirect = await call(proxy.port("in"), { ...to("r"), path: "/a?b" });
  assert.deepEqual([redirect.status, redirect.headers.location], [301, "https://x/a?b"]);
});
