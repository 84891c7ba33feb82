import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call, to } from "../testing/client.ts";
import { type Asked, askedIn, startEcho } from "../testing/echo.ts";
import { TestProxy } from "../testing/proxy.ts";
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
} from "../testing/resources.ts";

async function proxyTo(backend: Backend, ...hosts: VirtualHostInit[]): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", ...hosts)],
  });
}

test("path and host are rewritten, and the host is told what they were", async () => {
  await using backend = await startEcho();
  const cases: readonly (readonly [RouteActionInit, path: string, host: string])[] = [
    [{ prefixRewrite: "/new/" }, "/new/api/1?q", "old"],
    [{ regexRewrite: { pattern: { regex: "^/api/(\\d+)" }, substitution: "/item-\\1" } }, "/item-1?q", "old"],
    [{ hostRewriteSpecifier: { case: "hostRewriteLiteral", value: "new" } }, "/api/1?q", "new"],
    [{ hostRewriteSpecifier: { case: "hostRewriteHeader", value: "X-Host" } }, "/api/1?q", "by.header"],
    [
      {
        hostRewriteSpecifier: {
          case: "hostRewritePathRegex",
          value: { pattern: { regex: "^/(\\w+)/.*$" }, substitution: "\\1.example" },
        },
      },
      "/api/1?q",
      "api.example",
    ],
  ];
  for (const [action, path, host] of cases) {
    await using proxy = await proxyTo(backend, toCluster("*", "a", { ...action, appendXForwardedHost: true }));
    const got = askedIn(
      (await call(proxy.port("in"), { path: "/api/1?q", headers: { host: "old", "x-host": "by.header" } })).body,
    );
    assert.equal(got.url, path);
    assert.equal(got.headers["host"], host);
    assert.equal(got.headers["x-envoy-original-path"], path === "/api/1?q" ? undefined : "/api/1?q");
    assert.equal(got.headers["x-forwarded-host"], host === "old" ? undefined : "old");
    assert.equal(got.headers["x-envoy-original-host"], host === "old" ? undefined : "old");
  }
});

test("a virtual host that wants TLS redirects; a default port goes, another stays", async () => {
  await using backend = await startEcho();
  await using proxy = await proxyTo(backend, { ...toCluster("*", "a"), requireTls: 2 });
  const location = async (host: string): Promise<string | undefined> =>
    (await call(proxy.port("in"), { ...to(host), path: "/x?y" })).headers.location;
  assert.equal(await location("shop"), "https://shop/x?y");
  assert.equal(await location("shop:80"), "https://shop/x?y");
  assert.equal(await location("shop:8080"), "https://shop:8080/x?y");
  const secure = await call(proxy.port("in"), { headers: { host: "shop", "x-forwarded-proto": "https" } });
  assert.equal(secure.status, 200);
});

test("a copy goes to the mirror with its body; what the mirror answers, and whether, changes nothing", async () => {
  await using backend = await startEcho();
  const copies: Asked[] = [];
  await using mirror = await Backend.start((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      copies.push({ url: request.url ?? "", headers: { host: request.headers.host ?? "" }, body });
      response.statusCode = 500;
      response.end("no");
    });
  });
  const action: RouteActionInit = {
    requestMirrorPolicies: [
      { cluster: "m" },
      { cluster: "m", runtimeFraction: { defaultValue: { numerator: 0 } } },
      { cluster: "gone" },
    ],
  };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port]), staticCluster("m", [mirror.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a", action))],
  });
  const answer = await call(proxy.port("in"), { ...to("shop:80"), method: "POST", path: "/p", body: "hello" });
  assert.equal(answer.status, 200);
  assert.equal(askedIn(answer.body).headers["host"], "shop:80");
  await until("the copy", () => copies.length === 1);
  assert.deepEqual(copies, [{ url: "/p", headers: { host: "shop-shadow:80" }, body: "hello" }]);
  await until("its end", () => proxy.stat("cluster.m.upstream_rq_active") === 0);
  assert.equal(proxy.stat("cluster.m.upstream_rq_500"), 1);
});

test("requests with the same key go to the same host; a client without the cookie gets one that leads back", async () => {
  await using one = await Backend.named("1");
  await using two = await Backend.named("2");
  await using three = await Backend.named("3");
  const ports = [one.port, two.port, three.port];
  const policy = (specifier: object): RouteActionInit => ({ hashPolicy: [specifier] });
  await using proxy = await TestProxy.start({
    clusters: [cluster("ring", { lbPolicy: 2 }), cluster("maglev", { lbPolicy: 5 })],
    endpoints: [endpoints("ring", ports), endpoints("maglev", ports)],
    listeners: [listener("in", 0)],
    routes: [
      routes(
        "in",
        toCluster("header", "ring", policy({ policySpecifier: { case: "header", value: { headerName: "X-User" } } })),
        toCluster("query", "maglev", policy({ policySpecifier: { case: "queryParameter", value: { name: "user" } } })),
        toCluster(
          "ip",
          "ring",
          policy({ policySpecifier: { case: "connectionProperties", value: { sourceIp: true } } }),
        ),
        toCluster(
          "cookie",
          "ring",
          policy({ policySpecifier: { case: "cookie", value: { name: "sid", path: "/", ttl: duration(60_000) } } }),
        ),
      ),
    ],
  });
  const at = async (host: string, headers: object = {}, path = "/"): Promise<string> =>
    (await call(proxy.port("in"), { path, headers: { host, ...headers } })).body;
  const byUser = new Set<string>();
  for (let user = 0; user < 30; user++) {
    const first = await at("header", { "x-user": `u${user}` });
    assert.equal(await at("header", { "x-user": `u${user}` }), first);
    byUser.add(first);
    assert.equal(await at("query", {}, `/?user=${user}`), await at("query", {}, `/?a&user=${user}`));
  }
  assert.equal(byUser.size, 3);
  assert.equal(new Set(await Promise.all(Array.from({ length: 10 }, () => at("ip")))).size, 1);
  const given = await call(proxy.port("in"), to("cookie"));
  const [cookie = ""] = given.headers["set-cookie"] ?? [];
  assert.match(cookie, /^sid="[0-9a-f]{16}"; Max-Age=60; Path=\/; HttpOnly$/);
  for (let i = 0; i < 5; i++) assert.equal(await at("cookie", { cookie: `x=1; ${cookie.split(";")[0]}` }), given.body);
});

test("a route may be for gRPC only, for a share of the requests, and its cluster may be named by a header", async () => {
  await using backend = await startEcho();
  const prefix = { pathSpecifier: { case: "prefix", value: "/" } } as const;
  const direct = (status: number) => ({ case: "directResponse", value: { status } }) as const;
  await using proxy = await proxyTo(backend, {
    name: "v",
    domains: ["*"],
    routes: [
      { match: { ...prefix, grpc: {} }, action: direct(201) },
      { match: { ...prefix, runtimeFraction: { defaultValue: { numerator: 0 } } }, action: direct(202) },
      {
        match: { ...prefix, headers: [{ name: "x-cluster" }] },
        action: { case: "route", value: { clusterSpecifier: { case: "clusterHeader", value: "X-Cluster" } } },
      },
      { match: prefix, action: direct(203) },
    ],
  });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await call(proxy.port("in"), { headers })).status;
  assert.equal(
    (await call(proxy.port("in"), { headers: { "content-type": "application/grpc" } })).headers["content-type"],
    "application/grpc",
  );
  assert.equal(await status({ "content-type": "application/grpc-web" }), 203);
  assert.equal(await status({ "x-cluster": "a" }), 200);
  assert.equal(await status({ "x-cluster": "none" }), 503);
});

test("a quiet stream and one that takes too long are ended by the route's time-outs", async () => {
  await using silent = await Backend.start((request, response) => {
    request.resume();
    if (request.url === "/slow") setInterval(() => response.write("x"), 20).unref();
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [silent.port])],
    listeners: [listener("in", 0)],
    routes: [
      routes(
        "in",
        toCluster("idle", "a", { idleTimeout: duration(60), timeout: duration(0) }),
        toCluster("long", "a", { maxStreamDuration: { maxStreamDuration: duration(80) }, timeout: duration(0) }),
        toCluster("grpc", "a", { maxStreamDuration: { grpcTimeoutHeaderMax: duration(0) }, timeout: duration(0) }),
      ),
    ],
  });
  const idle = await call(proxy.port("in"), to("idle"));
  assert.deepEqual([idle.status, idle.body], [504, "stream timeout"]);
  const long = await call(proxy.port("in"), to("long"));
  assert.deepEqual([long.status, long.body], [504, "downstream duration timeout"]);
  const grpc = await call(proxy.port("in"), {
    headers: { host: "grpc", "grpc-timeout": "50m", "content-type": "application/grpc" },
  });
  assert.deepEqual([grpc.status, grpc.headers["grpc-status"]], [200, "4"]);
  await assert.rejects(call(proxy.port("in"), { ...to("long"), path: "/slow" }));
  assert.equal(proxy.stat("http.in.downstream_rq_max_duration_reached"), 3);
});

test("a host's own pause is kept before a retry; the client may be told of the attempts", async () => {
  let calls = 0;
  const at: number[] = [];
  await using backend = await Backend.start((request, response) => {
    request.resume();
    at.push(performance.now());
    if (++calls < 3) response.writeHead(503, { "retry-after": calls === 1 ? "0" : "999" });
    response.end("done");
  });
  await using proxy = await proxyTo(backend, {
    ...toCluster("*", "a", {
      retryPolicy: {
        retryOn: "5xx",
        numRetries: 5,
        rateLimitedRetryBackOff: { resetHeaders: [{ name: "Retry-After" }], maxInterval: duration(1000) },
        retriableRequestHeaders: [{ name: "x-again" }],
      },
    }),
    includeAttemptCountInResponse: true,
  });
  const once = await call(proxy.port("in"));
  assert.deepEqual([once.status, once.headers["x-envoy-attempt-count"]], [503, "1"]);
  const again = await call(proxy.port("in"), { headers: { "x-again": "1" } });
  assert.deepEqual([again.status, again.headers["x-envoy-attempt-count"]], [200, "2"]);
  assert.equal(proxy.stat("cluster.a.upstream_rq_retry_backoff_exponential"), 1);
});

test("control headers count from inside only; from others they are taken away", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    if (request.url === "/hang") return;
    response.statusCode = 503;
    response.end(JSON.stringify({ headers: request.headers }));
  });
  const world = (ranges: readonly string[]) => ({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("in", 0, {
        internalAddressConfig: { cidrRanges: ranges.map((addressPrefix) => ({ addressPrefix, prefixLen: 8 })) },
      }),
    ],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const headers = { "x-envoy-retry-on": "5xx", "x-envoy-max-retries": "2", "x-envoy-upstream-rq-timeout-ms": "9000" };
  await using outside = await TestProxy.start(world([]));
  const plain = await call(outside.port("in"), { headers });
  assert.equal(backend.requests, 1);
  assert.deepEqual(
    Object.keys(askedIn(plain.body).headers).filter((name) => name.startsWith("x-envoy")),
    ["x-envoy-expected-rq-timeout-ms"],
  );
  await using inside = await TestProxy.start(world(["127.0.0.0"]));
  await call(inside.port("in"), { headers });
  assert.equal(backend.requests, 4);
  const timedOut = await call(inside.port("in"), {
    path: "/hang",
    headers: { "x-envoy-upstream-rq-timeout-ms": "30" },
  });
  assert.deepEqual([timedOut.status, timedOut.body], [504, "upstream request timeout"]);
});

test("a path on which a pattern would take too long is refused", async () => {
  await using backend = await startEcho();
  await using proxy = await proxyTo(backend, {
    name: "v",
    domains: ["*"],
    routes: [
      {
        match: { pathSpecifier: { case: "safeRegex", value: { regex: "/.*(a.{30}){10}b" } } },
        action: { case: "directResponse", value: { status: 201 } },
      },
      ...(toCluster("*", "a").routes ?? []),
    ],
  });
  assert.equal((await call(proxy.port("in"), { path: "/aaa" })).status, 200);
  const path = `/${Array.from({ length: 8000 }, (_char, i) => "ab"[(i * 7919 + (i >> 3)) % 2]).join("")}`;
  assert.equal((await call(proxy.port("in"), { path })).status, 414);
});
