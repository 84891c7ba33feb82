import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend, RawBackend } from "../testing/backend.ts";
import { call, exchange } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const websocket = { upgradeConfigs: [{ upgradeType: "websocket" }] };
const overHttp2 = { ...websocket, http2ProtocolOptions: { allowConnect: true } };

/** A server that agrees to the upgrade and gives back all bytes; path `/no` refuses. */
async function echo(): Promise<Backend> {
  const backend = await Backend.start((incoming, response) => {
    incoming.resume();
    response.statusCode = 200;
    response.end(`plain ${incoming.headers["upgrade"] ?? "-"}`);
  });
  backend.server.on("upgrade", (incoming, socket: Socket) => {
    if (incoming.url === "/no") {
      socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno");
      return;
    }
    socket.on("error", () => socket.destroy());
    const key = incoming.headers["sec-websocket-key"] ?? "";
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  return backend;
}

interface Upgraded {
  readonly socket: Socket;
  readonly accept: string | undefined;
}

function upgrade(port: number, path = "/", headers: Record<string, string> = {}): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path,
      headers: {
        host: "a",
        connection: "Upgrade",
        upgrade: "WebSocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    outgoing.on("upgrade", (response, socket) => resolve({ socket, accept: response.headers["sec-websocket-accept"] }));
    outgoing.on("response", (response) => reject(new Error(`status ${response.statusCode}`)));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function readUntil(socket: Socket, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.length >= length) resolve(text);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${text.length} bytes`)));
  });
}

const logged = (): { readonly lines: Record<string, unknown>[]; readonly logger: never } => {
  const lines: Record<string, unknown>[] = [];
  const logger = { debug() {}, warn() {}, error() {}, info: (facts: Record<string, unknown>) => lines.push(facts) };
  return { lines, logger: logger as never };
};

test("an upgrade becomes a tunnel of bytes, counted and logged at its end", async () => {
  await using backend = await echo();
  const { lines, logger } = logged();
  await using proxy = await TestProxy.start(
    {
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, websocket)],
      routes: [routes("in", toCluster("*", "a", { timeout: duration(50) }))],
    },
    { logger, accessLog: true },
  );
  const { socket, accept } = await upgrade(proxy.port("in"));
  assert.equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  assert.equal(proxy.stat("http.in.downstream_cx_upgrades_active"), 1);
  const answer = readUntil(socket, 200_000);
  // Longer than the route's time-out, which is for the answer only.
  await new Promise((resolve) => {
    setTimeout(resolve, 80);
  });
  socket.write("x".repeat(200_000));
  assert.equal((await answer).length, 200_000);
  socket.destroy();
  await until("the end of the stream", () => proxy.stat("http.in.downstream_rq_active") === 0);
  assert.equal(proxy.stat("http.in.downstream_cx_upgrades_active"), 0);
  assert.equal(proxy.stat("http.in.downstream_cx_upgrades_total"), 1);
  await until("the host's connection ends with it", () => proxy.stat("cluster.a.upstream_cx_active") === 0);
  await until("the log", () => lines.length === 1);
  assert.deepEqual([lines[0]?.["status"], lines[0]?.["bytesReceived"]], [101, 200_000]);
});

test("each half of a tunnel ends on its own", async () => {
  await using backend = await RawBackend.start((socket) => {
    socket.allowHalfOpen = true;
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n");
    });
    socket.on("end", () => socket.end("last words"));
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, websocket)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const { socket } = await upgrade(proxy.port("in"));
  socket.end();
  assert.equal(await readUntil(socket, 10), "last words");
  await until("both halves have ended", () => proxy.stat("cluster.a.upstream_cx_active") === 0);
  assert.equal(proxy.stat("http.in.downstream_rq_active"), 0);
});

test("a host that does not agree answers like any other, and the connection goes on", async () => {
  await using backend = await echo();
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, websocket)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const ask = "GET /no HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
  const one = await exchange(proxy.port("in"), ask, "\r\n\r\nno");
  assert.match(one, /^HTTP\/1\.1 401 /);
  assert.doesNotMatch(one, /connection: close/);
  // What came behind it was meant for another protocol.
  const early = await exchange(proxy.port("in"), `${ask}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.equal(early.match(/HTTP\/1\.1 /g)?.length, 1);
  assert.equal(backend.requests, 0);
});

test("nothing reaches a host before it has agreed", async () => {
  let got = "";
  let agree = (): void => undefined;
  await using backend = await RawBackend.start((socket) => {
    socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
    agree = () => socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n");
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, websocket)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const client = connect(proxy.port("in"), "127.0.0.1");
  client.write(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
  );
  await until("the head", () => got.endsWith("\r\n\r\n"));
  assert.match(got, /\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n$/);
  assert.doesNotMatch(got, /admin/);
  agree();
  await until("what was held", () => got.endsWith("GET /admin HTTP/1.1\r\n\r\n"));
  client.destroy();
});

test("the route's word on an upgrade comes before the listener's; without any it is a request like others", async () => {
  await using backend = await echo();
  const off = { upgradeConfigs: [{ upgradeType: "WebSocket", enabled: false }] };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("on", 0, websocket), listener("off", 0, off), listener("none", 0)],
    routes: [
      routes("on", toCluster("a", "a"), toCluster("not", "a", { upgradeConfigs: off.upgradeConfigs })),
      routes("off", toCluster("a", "a"), toCluster("yes", "a", websocket)),
      routes("none", toCluster("a", "a"), toCluster("yes", "a", websocket)),
    ],
  });
  const asks = { connection: "upgrade", upgrade: "websocket" };
  const plain = await call(proxy.port("none"), { headers: { host: "a", ...asks } });
  assert.deepEqual([plain.status, plain.body], [200, "plain -"]);
  assert.equal((await call(proxy.port("on"), { headers: { host: "not", ...asks } })).status, 403);
  assert.equal((await call(proxy.port("off"), { headers: { host: "a", ...asks } })).status, 403);
  for (const name of ["off", "none"]) (await upgrade(proxy.port(name), "/", { host: "yes" })).socket.destroy();
  (await upgrade(proxy.port("on"), "/", { host: "a" })).socket.destroy();
  // One that does not say in `connection` that it means it.
  assert.equal(
    (await call(proxy.port("on"), { headers: { host: "a", connection: "close", upgrade: "websocket" } })).status,
    200,
  );
});

test("a tunnel that is quiet for too long is ended", async () => {
  await using backend = await echo();
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { ...websocket, streamIdleTimeout: duration(150) })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const { socket } = await upgrade(proxy.port("in"));
  await new Promise((resolve) => socket.on("close", resolve));
  assert.equal(proxy.stat("http.in.downstream_rq_idle_timeout"), 1);
});

test("a client of a tunnel that does not read stops the host", async () => {
  let sent = 0;
  const block = Buffer.alloc(64 * 1024, 1);
  await using backend = await RawBackend.start((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n");
      const more = (): void => {
        do sent += block.length;
        while (socket.write(block) && sent < 100 * 1024 * 1024);
      };
      socket.on("drain", more);
      more();
    });
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, websocket)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const { socket } = await upgrade(proxy.port("in"));
  socket.pause();
  let before = -1;
  let still = 0;
  await until("the host is stopped", () => {
    still = sent === before ? still + 1 : 0;
    before = sent;
    return still === 20;
  });
  assert(sent < 40 * 1024 * 1024, `${sent} bytes went through`);
  socket.destroy();
});

for (const hop of ["HTTP/1.1", "HTTP/2"] as const) {
  test(`a real WebSocket client talks through two proxies over ${hop}`, async () => {
    await using backend = await echo();
    await using far = await TestProxy.start({
      clusters: [staticCluster("app", [backend.port])],
      listeners: [listener("in", 0, overHttp2)],
      routes: [routes("in", toCluster("*", "app"))],
    });
    const port = far.port("in");
    await using near = await TestProxy.start({
      clusters: [
        hop === "HTTP/2" ? http2Cluster("far", [port], {}, { allowConnect: true }) : staticCluster("far", [port]),
      ],
      listeners: [listener("out", 0, overHttp2)],
      routes: [routes("out", toCluster("*", "far"))],
    });
    // The server gives back the client's frames, which are masked: the client must refuse them. So the bytes are unmasked first.
    backend.server.removeAllListeners("upgrade");
    backend.server.on("upgrade", (incoming, socket: Socket) => {
      const key = incoming.headers["sec-websocket-key"] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.on("error", () => socket.destroy());
      socket.on("data", (frame: Buffer) => {
        const length = (frame[1] ?? 0) & 0x7f;
        const mask = frame.subarray(2, 6);
        const body = frame.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
        socket.write(Buffer.concat([Buffer.from([frame[0] ?? 0, length]), body]));
        if (((frame[0] ?? 0) & 15) === 8) socket.end();
      });
    });
    const client = new WebSocket(`ws://127.0.0.1:${near.port("out")}/chat`);
    const opened = new Promise((resolve, reject) => {
      client.addEventListener("open", resolve);
      client.addEventListener("error", () => reject(new Error("it was not opened")));
    });
    await opened;
    const said = new Promise<unknown>((resolve) => {
      client.addEventListener("message", ({ data }) => resolve(data));
    });
    client.send("hello");
    assert.equal(await said, "hello");
    const closed = new Promise<number>((resolve) => {
      client.addEventListener("close", ({ code }) => resolve(code));
    });
    client.close(1000);
    assert.equal(await closed, 1000);
    await until("the tunnel's end", () => near.stat("http.out.downstream_rq_active") === 0);
    await until("the far tunnel's end", () => far.stat("http.in.downstream_rq_active") === 0);
    assert.equal(far.stat("http.in.downstream_cx_upgrades_total"), 1);
  });
}

test("extended CONNECT of an HTTP/2 client becomes an upgrade of HTTP/1.1", async () => {
  await using backend = await echo();
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, overHttp2), listener("off", 0, { http2ProtocolOptions: { allowConnect: true } })],
    routes: [routes("in", toCluster("*", "a")), routes("off", toCluster("*", "a"))],
  });
  const head = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":authority": "a",
    ":path": "/chat",
  };
  using caller = new Http2Caller(proxy.port("in"));
  await new Promise((resolve) => caller.session.once("remoteSettings", resolve));
  const stream = caller.session.request(head, { endStream: false });
  const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
  assert.equal(status, 200);
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  stream.write("hello");
  await until("the echo", () => text === "hello");
  stream.end();
  await new Promise((resolve) => stream.on("close", resolve));
  await until("the end", () => proxy.stat("cluster.a.upstream_cx_active") === 0);
  using other = new Http2Caller(proxy.port("off"));
  await new Promise((resolve) => other.session.once("remoteSettings", resolve));
  const refused = other.session.request(head, { endStream: false });
  const answer = await new Promise((resolve) => refused.on("response", (headers) => resolve(headers[":status"])));
  assert.equal(answer, 403);
});

const connectRoute = (endsHere: boolean) => ({
  match: { pathSpecifier: { case: "connectMatcher" as const, value: {} } },
  action: {
    case: "route" as const,
    value: {
      clusterSpecifier: { case: "cluster" as const, value: "a" },
      upgradeConfigs: [{ upgradeType: "CONNECT", ...(endsHere ? { connectConfig: {} } : {}) }],
    },
  },
});

test("CONNECT is refused unless a route is for it, and ends at the proxy where the route says so", async () => {
  await using backend = await RawBackend.start((socket) => {
    socket.allowHalfOpen = true;
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("end", () => socket.end(`got ${JSON.stringify(text)}`));
  });
  const allowed = { upgradeConfigs: [{ upgradeType: "CONNECT", enabled: false }] };
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("off", 0), listener("in", 0, allowed)],
    routes: [
      routes("off", toCluster("*", "a")),
      routes("in", toCluster("plain", "a"), { name: "c", domains: ["*"], routes: [connectRoute(true)] }),
    ],
  });
  const ask = (host: string): string => `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`;
  assert.match(await exchange(proxy.port("off"), ask("x")), /^HTTP\/1\.1 403 /);
  assert.match(await exchange(proxy.port("in"), ask("plain"), "\r\n\r\n"), /^HTTP\/1\.1 404 /);
  const client = connect({ host: "127.0.0.1", port: proxy.port("in"), allowHalfOpen: true });
  let text = "";
  client.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  client.write(ask("db"));
  await until("the answer", () => text.includes("\r\n\r\n"));
  assert.match(text, /^HTTP\/1\.1 200 /);
  client.end("raw bytes");
  await until("the host's answer", () => text.endsWith('got "raw bytes"'));
  await until("the end", () => proxy.stat("cluster.a.upstream_cx_active") === 0);
  assert.equal(proxy.stat("cluster.a.upstream_cx_total"), 1);
});

test("CONNECT goes on to a host that takes it", async () => {
  await using backend = await RawBackend.start((socket) => {
    socket.once("data", (head: Buffer) => {
      socket.write(`HTTP/1.1 200 OK\r\n\r\n${head.toString("latin1").split("\r\n", 1)[0] ?? ""};`);
      socket.on("data", (chunk: Buffer) => socket.write(chunk));
    });
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { upgradeConfigs: [{ upgradeType: "CONNECT" }] })],
    routes: [routes("in", { name: "c", domains: ["*"], routes: [connectRoute(false)] })],
  });
  const text = await exchange(proxy.port("in"), "CONNECT db:1 HTTP/1.1\r\nHost: db:1\r\n\r\nearly", "early");
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*CONNECT db:1 HTTP\/1\.1;early$/);
});
