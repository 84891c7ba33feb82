import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend, RawBackend } from "../testing/backend.ts";
import { call, exchange } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

async function proxyTo(port: number): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

const before = "upstream connect error or disconnect/reset before headers. ";

test("a malformed response is 502 and UPE", async () => {
  for (const bytes of [
    "SSH-2.0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "HTTP/1.1 200 OK\nX: y\n\n",
  ]) {
    await using backend = await RawBackend.start((socket) => void socket.once("data", () => socket.write(bytes)));
    await using proxy = await proxyTo(backend.port);
    const answer = await call(proxy.port("in"));
    assert.deepEqual([answer.status, answer.body], [502, `${before}reset reason: protocol error`]);
    assert.equal(proxy.stat("cluster.a.upstream_cx_protocol_error"), 1);
  }
});

test("a host that closes before it answers is 503 and UC", async () => {
  await using backend = await RawBackend.start((socket) => void socket.once("data", () => socket.end()));
  await using proxy = await proxyTo(backend.port);
  const answer = await call(proxy.port("in"));
  assert.deepEqual([answer.status, answer.body], [503, `${before}reset reason: connection termination`]);
  assert.equal(backend.connections, 1);
});

test("a host that dies in a response breaks the response off, visibly", async () => {
  for (const head of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
    await using backend = await RawBackend.start((socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhello\r\n`, () => socket.destroy());
      });
    });
    await using proxy = await proxyTo(backend.port);
    await assert.rejects(call(proxy.port("in")), /aborted|ECONNRESET|hang up/);
    assert.equal(proxy.runtime.activeRequests("a"), 0);
  }
});

test("bytes after a response are never taken for the next one", async () => {
  await using backend = await RawBackend.start((socket, number) => {
    socket.on("data", () => {
      const poison = number === 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison" : "";
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${poison}`);
    });
  });
  await using proxy = await proxyTo(backend.port);
  for (let i = 0; i < 4; i++) assert.equal((await call(proxy.port("in"))).body, "ok");
  assert.equal(backend.connections, 2);
});

test("bytes after a response do not answer the request that waits for its connection", async () => {
  await using backend = await RawBackend.start((socket, number) => {
    socket.on("data", () => {
      const poison = number === 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison" : "";
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${poison}`);
    });
  });
  const thresholds = [{ maxConnections: 1 }];
  await using proxy = await TestProxy.start({
    clusters: [cluster("a", { circuitBreakers: { thresholds } })],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const port = proxy.port("in");
  const answers = await Promise.all([call(port), call(port), call(port)]);
  assert.deepEqual(
    answers.map((answer) => answer.body),
    ["ok", "ok", "ok"],
  );
  assert(backend.connections > 1);
});

test("a client that goes away cancels its request at the host", async () => {
  await using backend = await RawBackend.start((socket) => void socket.resume());
  await using proxy = await proxyTo(backend.port);
  const client = connect(proxy.port("in"), "127.0.0.1", () => client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await until("the request has arrived", () => backend.open === 1);
  client.destroy();
  await until("the host's connection is closed", () => backend.open === 0);
  await until("nothing is under way", () => proxy.runtime.activeRequests("a") === 0);
  assert.equal(proxy.stat("http.in.downstream_rq_rx_reset"), 1);
});

test("an answer before the end of the request gets through, and the connection ends", async () => {
  await using backend = await Backend.start((_request, response) => {
    response.writeHead(413, { connection: "close" }).end("too much");
  });
  await using proxy = await proxyTo(backend.port);
  const text = await exchange(proxy.port("in"), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart");
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /too much\r\n0\r\n\r\n$/);
});

test("an idle connection that the host has closed is no failure for what may be sent again", async () => {
  // Each connection serves one request, and is closed when the second one comes: the race at its worst.
  await using backend = await RawBackend.start((socket) => {
    let requests = 0;
    socket.on("data", () => {
      if (++requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      else socket.destroy();
    });
  });
  await using proxy = await proxyTo(backend.port);
  const port = proxy.port("in");
  for (let i = 0; i < 5; i++)
    assert.equal((await call(port, { method: i === 4 ? "PUT" : "GET", body: i === 4 ? "x" : undefined })).body, "ok");
  assert.equal(proxy.stat("cluster.a.upstream_rq_replayed"), 4);
  // A POST may have been done: the client has to decide.
  const post = await call(port, { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.body], [503, `${before}reset reason: connection termination`]);
});

test("a server's Keep-Alive time-out is honoured: its connection is not used in its last second", async () => {
  await using backend = await RawBackend.start((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n"));
  });
  await using proxy = await proxyTo(backend.port);
  await call(proxy.port("in"));
  await call(proxy.port("in"));
  assert.equal(backend.connections, 2);
});

test("a malformed request is answered and its connection closed", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await proxyTo(backend.port);
  const port = proxy.port("in");
  const cases: readonly (readonly [string, RegExp])[] = [
    ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET / HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 426 /],
    ["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", /^HTTP\/1\.1 501 /],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(70_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ["GET /a%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", /^HTTP\/1\.1 403 /],
    ["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /^HTTP\/1\.1 400 /],
  ];
  for (const [bytes, expected] of cases) assert.match(await exchange(port, bytes), expected);
  assert.equal(proxy.stat("http.in.downstream_rq_active"), 0);
  await until("their connections are gone", () => proxy.stat("http.in.downstream_cx_active") === 0);
  assert.equal(proxy.stat("http.in.downstream_cx_protocol_error"), 6);
});

test("a response to a good request comes before the refusal of the bad one after it", async () => {
  await using backend = await Backend.named("good");
  await using proxy = await proxyTo(backend.port);
  const text = await exchange(proxy.port("in"), "GET / HTTP/1.1\r\nHost: a\r\n\r\nBAD\r\n\r\n");
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*goodHTTP\/1\.1 400 /);
});

test("100-continue is answered by the proxy", async () => {
  await using backend = await Backend.start((request, response) => {
    assert.equal(request.headers.expect, undefined);
    request.pipe(response);
  });
  await using proxy = await proxyTo(backend.port);
  const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
  const continued = await exchange(proxy.port("in"), head, "100 Continue");
  assert.match(continued, /^HTTP\/1\.1 100 Continue\r\n\r\n/);
});

test("a head that does not come in time ends its connection", async () => {
  await using proxy = await TestProxy.start({
    listeners: [listener("in", 0, { requestHeadersTimeout: { seconds: 0n, nanos: 150_000_000 } })],
    routes: [routes("in")],
  });
  assert.match(await exchange(proxy.port("in"), "GET / HTTP/1.1\r\nHos"), /^HTTP\/1\.1 408 /);
  assert.equal(await exchange(proxy.port("in"), ""), "");
  assert.equal(proxy.stat("http.in.downstream_rq_header_timeout"), 1);
});

test("a stream on which nothing moves is ended", async () => {
  await using backend = await RawBackend.start((socket) => void socket.resume());
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { streamIdleTimeout: { seconds: 0n, nanos: 150_000_000 } })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const answer = await call(proxy.port("in"));
  assert.deepEqual([answer.status, answer.body], [504, "stream timeout"]);
});
