import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { HttpConnectionManager_CodecType } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call, exchange, to } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { Http2Backend, Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

function proxyTo(...clusters: Parameters<typeof http2Cluster>[]): Promise<TestProxy> {
  return TestProxy.start({
    clusters: clusters.map((args) => http2Cluster(...args)),
    listeners: [listener("in", 0)],
    routes: [routes("in", ...clusters.map(([name]) => toCluster(name, name)))],
  });
}

async function http1Proxy(port: number): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

const get = (authority: string, path = "/"): Record<string, string> => ({ ":authority": authority, ":path": path });
const post = (authority: string, path = "/"): Record<string, string> => ({
  ...get(authority, path),
  ":method": "POST",
});

test("node:http2 at both ends: head, body and trailers both ways", async () => {
  await using backend = await Http2Backend.start((stream, headers) => {
    const seen: string[] = [];
    stream.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
    stream.on("trailers", (trailers) => seen.push(JSON.stringify(trailers["x-end"])));
    stream.on("end", () => {
      stream.respond({ ":status": 201, "x-path": headers[":path"] ?? "" }, { waitForTrailers: true });
      stream.end(`${headers[":method"] ?? ""} ${headers[":authority"] ?? ""} ${headers.cookie ?? ""} ${seen.join("")}`);
    });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "42" }));
  });
  await using proxy = await proxyTo(["a", [backend.port]]);
  using caller = new Http2Caller(proxy.port("in"));
  const headers = { ...post("a", "/x?y=1"), cookie: ["a=1", "b=2"] };
  const answer = await caller.call(headers, ["one ", "two "], { "x-end": "e" });
  assert.equal(answer.body, 'POST a a=1; b=2 one two "e"');
  assert.deepEqual([answer.status, answer.headers["x-path"], answer.trailers?.["x-sum"]], [201, "/x?y=1", "42"]);
});

test("a listener serves both versions, whatever the first bytes are split into", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await http1Proxy(backend.port);
  assert.equal((await call(proxy.port("in"))).body, "b");
  assert.match(
    await exchange(proxy.port("in"), "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    /200 OK/,
  );
  using caller = new Http2Caller(proxy.port("in"));
  assert.equal((await caller.call(get("a"))).body, "b");
  assert.equal(proxy.stat("http.in.downstream_cx_http1_total"), 2);
  assert.equal(proxy.stat("http.in.downstream_cx_http2_total"), 1);
});

test("HTTP/2 in front of HTTP/1.1: bodies of any length, HEAD, 100-continue, no body", async () => {
  await using backend = await Backend.start((request, response) => {
    const bytes: Buffer[] = [];
    request.on("data", (chunk: Buffer) => bytes.push(chunk));
    request.on("end", () => {
      response.setHeader(
        "x-framing",
        request.headers["transfer-encoding"] ?? request.headers["content-length"] ?? "none",
      );
      if (request.url === "/204") response.writeHead(204).end();
      else response.end(Buffer.concat(bytes));
    });
  });
  await using proxy = await http1Proxy(backend.port);
  using caller = new Http2Caller(proxy.port("in"));
  const echo = await caller.call(post("a"), ["abc", "def"]);
  assert.deepEqual([echo.status, echo.body, echo.headers["x-framing"]], [200, "abcdef", "chunked"]);
  const sized = await caller.call({ ...post("a"), "content-length": "3" }, ["abc"]);
  assert.deepEqual([sized.body, sized.headers["x-framing"]], ["abc", "3"]);
  const head = await caller.call({ ...get("a"), ":method": "HEAD" });
  assert.deepEqual([head.status, head.body], [200, ""]);
  assert.equal((await caller.call(get("a", "/204"))).status, 204);
  const expecting = caller.session.request({ ...post("a"), expect: "100-continue" });
  await new Promise((resolve) => expecting.once("continue", resolve));
  expecting.end("now");
  let body = "";
  for await (const chunk of expecting) body += String(chunk);
  assert.equal(body, "now");
});

test("HTTP/1.1 in front of HTTP/2", async () => {
  await using backend = await Http2Backend.start((stream, headers) => {
    stream.respond({ ":status": 200, "x-method": headers[":method"] ?? "", "x-te": String(headers["te"] ?? "") });
    if (headers[":method"] === "HEAD") stream.end();
    else stream.pipe(stream);
  });
  await using proxy = await proxyTo(["a", [backend.port]]);
  const answer = await call(proxy.port("in"), { ...to("a"), method: "POST", body: "hello" });
  assert.deepEqual([answer.status, answer.body, answer.headers["x-method"]], [200, "hello", "POST"]);
  const chunked = await exchange(
    proxy.port("in"),
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, x-secret\r\nX-Secret: 1\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  );
  assert.match(chunked, /^HTTP\/1\.1 200 OK\r\n[^]*3\r\nabc\r\n0\r\n\r\n$/);
  assert.equal((await call(proxy.port("in"), { ...to("a"), method: "HEAD" })).status, 200);
});

test("requests above what the host allows on one connection get another one", async () => {
  let open = 0;
  let most = 0;
  await using backend = await Http2Backend.start(
    (stream) => {
      open++;
      most = Math.max(most, open);
      setTimeout(() => {
        open--;
        stream.respond({ ":status": 200 });
        stream.end("ok");
      }, 50);
    },
    { maxConcurrentStreams: 5 },
  );
  await using proxy = await proxyTo(["a", [backend.port]]);
  using caller = new Http2Caller(proxy.port("in"));
  assert.equal((await caller.call(get("a"))).body, "ok");
  const answers = await Promise.all(Array.from({ length: 20 }, () => caller.call(get("a"))));
  assert(answers.every(({ body }) => body === "ok"));
  assert(most > 5 && backend.connections > 1, `${most} at a time over ${backend.connections} connections`);
});

test("a host that goes away gracefully loses no request; the next takes a new connection", async () => {
  await using backend = await Http2Backend.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.end("ok");
  });
  await using proxy = await proxyTo(["a", [backend.port]]);
  using caller = new Http2Caller(proxy.port("in"));
  for (let round = 1; round <= 5; round++) {
    const calls = Array.from({ length: 30 }, () => caller.call(post("a"), ["x"]));
    for (const session of backend.sessions) session.close();
    const answers = await Promise.all(calls);
    assert(answers.every(({ status }) => status === 200));
  }
  assert(backend.connections > 1);
});

test("a stream that the host refuses is sent again, even a POST with a body", async () => {
  let refused = 0;
  await using backend = await Http2Backend.start((stream) => {
    if (refused === 0) {
      refused++;
      stream.close(7);
      return;
    }
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  });
  await using proxy = await proxyTo(["a", [backend.port]]);
  using caller = new Http2Caller(proxy.port("in"));
  const answer = await caller.call(post("a"), ["body"]);
  assert.deepEqual([answer.status, answer.body, refused], [200, "body", 1]);
  assert.equal(proxy.stat("cluster.a.upstream_rq_replayed"), 1);
});

test("a host that resets or breaks a stream: 503 before its head, a reset after it; the connection goes on", async () => {
  await using backend = await Http2Backend.start((stream, headers) => {
    if (headers[":path"] === "/reset") stream.close(2);
    else if (headers[":path"] === "/half") {
      stream.respond({ ":status": 200 });
      stream.write("half");
      setTimeout(() => stream.destroy(new Error("broken")), 20);
    } else {
      stream.respond({ ":status": 200 });
      stream.end("ok");
    }
  });
  await using proxy = await proxyTo(["a", [backend.port]]);
  using caller = new Http2Caller(proxy.port("in"));
  const before = await caller.call(post("a", "/reset"), ["x"]);
  assert.equal(before.status, 503);
  assert.match(before.body, /reset reason: remote reset/);
  await assert.rejects(caller.call(get("a", "/half")));
  assert.equal((await caller.call(get("a"))).body, "ok");
  assert.equal(backend.connections, 1);
});

test("a drained listener tells its clients, ends what is under way, and closes", async () => {
  let answer: (() => void) | undefined;
  await using backend = await Http2Backend.start((stream) => {
    answer = () => {
      stream.respond({ ":status": 200 });
      stream.end("late");
    };
  });
  await using proxy = await proxyTo(["a", [backend.port]]);
  using caller = new Http2Caller(proxy.port("in"));
  const pending = caller.call(get("a"));
  await until("the request arrives", () => answer !== undefined);
  const drained = proxy.apply({ listeners: [] });
  await until("the client is told", () => caller.goAways.length > 0);
  answer?.();
  assert.equal((await pending).body, "late");
  await drained;
  await until("the connection ends", () => caller.session.closed || caller.session.destroyed);
  assert.deepEqual(new Set(caller.goAways), new Set([0]));
});

test("limits of a listener and of a cluster are those of their connections; what is not done is refused by name", async () => {
  await using backend = await Http2Backend.start((stream) => {
    setTimeout(() => {
      stream.respond({ ":status": 200 });
      stream.end("ok");
    }, 20);
  });
  const proxy = new TestProxy();
  await using _ = proxy;
  const rejections = await proxy.apply({
    clusters: [http2Cluster("a", [backend.port], {}, { maxConcurrentStreams: 2 })],
    listeners: [
      listener("in", 0, { http2ProtocolOptions: { maxConcurrentStreams: 7, initialStreamWindowSize: 70_000 } }),
      listener("only", 0, { codecType: HttpConnectionManager_CodecType.HTTP2 }),
      listener("bad", 0, { http2ProtocolOptions: { allowMetadata: true } }),
    ],
    routes: [routes("in", toCluster("*", "a")), routes("only", toCluster("*", "a"))],
  });
  assert.match(rejections.map(({ reason }) => reason).join(), /http2_protocol_options\.allow_metadata/);
  using caller = new Http2Caller(proxy.port("in"));
  await new Promise((resolve) => caller.session.once("remoteSettings", resolve));
  const { maxConcurrentStreams, initialWindowSize } = caller.session.remoteSettings;
  assert.deepEqual([maxConcurrentStreams, initialWindowSize], [7, 70_000]);
  const answers = await Promise.all(Array.from({ length: 6 }, () => caller.call(get("a"))));
  assert(answers.every(({ body }) => body === "ok"));
  assert.equal(backend.connections, 3);
  using other = new Http2Caller(proxy.port("only"));
  assert.equal((await other.call(get("a"))).body, "ok");
  assert.doesNotMatch(await exchange(proxy.port("only"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), /HTTP\/1/);
});

test("a cluster that is spoken to as its clients speak: HTTP/1.1 for these, HTTP/2 for those", async () => {
  await using old = await Backend.named("1.1");
  await using young = await Http2Backend.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.end("2");
  });
  const anyHttp = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "useDownstreamProtocolConfig",
      value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    },
  });
  const options = {
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(HttpProtocolOptionsSchema, anyHttp),
    },
  };
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("old", [old.port], options), http2Cluster("young", [young.port], options)],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("old", "old"), toCluster("young", "young"))],
  });
  using caller = new Http2Caller(proxy.port("in"));
  assert.equal((await caller.call(get("young"))).body, "2");
  assert.equal((await call(proxy.port("in"), to("old"))).body, "1.1");
  assert((await call(proxy.port("in"), to("young"))).status >= 502);
});

test("curl by prior knowledge", async (context) => {
  await using backend = await Backend.named("for curl");
  await using proxy = await http1Proxy(backend.port);
  try {
    const url = `http://127.0.0.1:${proxy.port("in")}/`;
    const { stdout } = await promisify(execFile)("curl", ["-s", "-i", "--http2-prior-knowledge", url]);
    assert.match(stdout, /^HTTP\/2 200/);
    assert.match(stdout, /for curl$/);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
    context.skip("curl is not installed");
  }
});
