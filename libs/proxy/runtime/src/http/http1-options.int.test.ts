import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { until } from "@fairlead/testing-basics";
import { RawBackend } from "../testing/backend.ts";
import { exchange } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { Http2Backend, Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

type Init = NonNullable<Parameters<typeof listener>[2]>;

const OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

function start(port: number, init: Init, trailersToHosts = false): Promise<TestProxy> {
  const value = {
    protocolConfig: { case: "httpProtocolOptions", value: { enableTrailers: trailersToHosts } },
  } as const;
  const options = create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: { case: "explicitHttpConfig", value },
  });
  return TestProxy.start({
    clusters: [
      cluster("a", { typedExtensionProtocolOptions: { [OPTIONS]: anyPack(HttpProtocolOptionsSchema, options) } }),
    ],
    endpoints: [endpoints("a", [port])],
    listeners: [listener("in", 0, init)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

/** Tells a handler of all that has come on a connection whenever more of it comes. */
function reading(handler: (text: string, socket: Socket) => void): Promise<RawBackend> {
  return RawBackend.start((socket) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      handler(text, socket);
    });
  });
}

const chunkedPost = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";

test("trailers go both ways where both sides say so, and only there", async () => {
  let got = "";
  await using backend = await reading((text, socket) => {
    if (!text.endsWith("\r\n\r\n") || !text.includes("0\r\n")) return;
    got = text;
    socket.write(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nContent-Length: 3\r\n\r\n",
    );
  });
  for (const [client, host] of [
    [true, true],
    [true, false],
    [false, true],
  ] as const) {
    await using proxy = await start(backend.port, { httpProtocolOptions: { enableTrailers: client } }, host);
    const answer = await exchange(proxy.port("in"), `${chunkedPost}1\r\nx\r\n0\r\nX-Check: 9\r\nhost: b\r\n\r\n`);
    const ends = (trailer: string): string => (client && host ? `0\r\n${trailer}\r\n\r\n` : "0\r\n\r\n");
    assert.ok(answer.endsWith(`2\r\nok\r\n${ends("x-sum: 7")}`), answer);
    assert.ok(got.endsWith(`1\r\nx\r\n${ends("x-check: 9")}`), got);
  }
});

test("connections serve further requests after trailers", async () => {
  const answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n";
  await using backend = await reading((text, socket) => {
    if (text.endsWith("\r\n\r\n")) socket.write(answer);
  });
  await using proxy = await start(backend.port, { httpProtocolOptions: { enableTrailers: true } }, true);
  const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  const ended = "0\r\nx-sum: 7\r\n\r\n";
  let times = 0;
  await new Promise<void>((resolve, reject) => {
    const socket = connect(proxy.port("in"), "127.0.0.1", () => socket.write(get));
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.endsWith(ended)) return;
      text = "";
      if (++times < 3) setImmediate(() => socket.write(get));
      else socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
  assert.deepEqual([times, backend.connections], [3, 1]);
});

test("HTTP/2's trailers and those of HTTP/1.1 are each other's", async () => {
  let got = "";
  await using backend = await reading((text, socket) => {
    got = text;
    if (text.endsWith("\r\n\r\n"))
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n");
  });
  await using proxy = await start(backend.port, {}, true);
  using caller = new Http2Caller(proxy.port("in"));
  const answer = await caller.call({ ":method": "POST", ":path": "/" }, [], { "x-check": "9" });
  assert.deepEqual([answer.body, answer.trailers?.["x-sum"]], ["ok", "7"]);
  assert.ok(got.endsWith("\r\n0\r\nx-check: 9\r\n\r\n"), got);
});

const waiting = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";

/** Wants the body, or does not. */
function asked(wants: boolean): Promise<RawBackend> {
  return reading((text, socket) => {
    if (!text.includes("\r\n\r\n")) return;
    const body = text.split("\r\n\r\n")[1] ?? "";
    assert.match(text, /\r\nexpect: 100-continue\r\n/);
    if (!wants) socket.end("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    else if (body === "") socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
    else if (body === "hi") socket.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ngot");
  });
}

test("the host says whether it wants the body, where it is asked", async () => {
  await using wants = await asked(true);
  await using proxy = await start(wants.port, { proxy100Continue: true });
  const port = proxy.port("in");
  const continued = await exchange(port, waiting, "100 Continue\r\n\r\n");
  assert.equal(continued, "HTTP/1.1 100 Continue\r\n\r\n");
  const whole = await exchange(port, `${waiting}hi`);
  assert.match(whole, /^HTTP\/1\.1 200 OK[\s\S]*got$/);
  await using refuses = await asked(false);
  await using other = await start(refuses.port, { proxy100Continue: true });
  assert.match(await exchange(other.port("in"), waiting), /^HTTP\/1\.1 413 /);
  await until("the end", () => proxy.stat("http.in.downstream_rq_active") === 0);
});

test("clients of HTTP/2 wait for the host too", async () => {
  await using wants = await asked(true);
  await using proxy = await start(wants.port, { proxy100Continue: true });
  using caller = new Http2Caller(proxy.port("in"));
  const stream = caller.session.request(
    { ":method": "POST", ":path": "/", expect: "100-continue", "content-length": "2" },
    { endStream: false },
  );
  const body = await new Promise<string>((resolve, reject) => {
    stream.on("continue", () => stream.end("hi"));
    stream.on("data", (chunk: Buffer) => resolve(chunk.toString()));
    stream.on("error", reject);
  });
  assert.equal(body, "got");
});

test("a host of HTTP/2 is asked as well", async () => {
  await using backend = await Http2Backend.start((stream, headers) => {
    assert.equal(headers["expect"], "100-continue");
    stream.additionalHeaders({ ":status": 100 });
    stream.once("data", (chunk: Buffer) => {
      stream.respond({ ":status": 200 });
      stream.end(chunk);
    });
  });
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port])],
    listeners: [listener("in", 0, { proxy100Continue: true })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  assert.equal(await exchange(proxy.port("in"), waiting, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
});

test("a request of HTTP/1.0 without a host is for the default one", async () => {
  let got = "";
  await using backend = await reading((text, socket) => {
    got = text;
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  });
  const init = { httpProtocolOptions: { acceptHttp10: true, defaultHostForHttp10: "shop.example" } };
  await using proxy = await start(backend.port, init);
  assert.match(await exchange(proxy.port("in"), "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /);
  assert.match(got, /^GET \/ HTTP\/1\.1\r\nhost: shop\.example\r\n/);
  assert.match(await exchange(proxy.port("in"), "GET / HTTP/1.0\r\nhost: other\r\n\r\n"), /^HTTP\/1\.1 200 /);
  assert.match(got, /host: other\r\n/);
  assert.match(await exchange(proxy.port("in"), "GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 /);
});
