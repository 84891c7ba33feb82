import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { Http2Backend, Http2Caller } from "../testing/http2-peers.ts";
import { fairShareMs } from "../testing/fair-share.ts";
import { Neighbour } from "../testing/neighbour.ts";
import { ProxyProcess } from "../testing/proxy-process.ts";
import { TestProxy } from "../testing/proxy.ts";
import { frame, greeting } from "../testing/raw-http2.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const MIB = 1024 * 1024;
/** Of the event loop. What is not bounded takes seconds. */
const MAX_DELAY_MS = 250;
const preface = greeting.subarray(0, 24);
/** GET http://a/ by HPACK's static table. */
const get = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);
const post = Buffer.from([0x83, 0x86, 0x84, 0x01, 0x01, 0x61]);
const cancel = Buffer.from([0, 0, 0, 8]);

function request(streamId: number): Buffer {
  return frame(1, 5, streamId, get);
}

interface Attack {
  readonly name: string;
  readonly counter: string;
  /** That moves besides. */
  readonly managerCounter?: string;
  /** The i-th part of it. */
  readonly part: (i: number) => Buffer;
  /** Whether the attacker takes what it is answered. */
  readonly reads: boolean;
}

const attacks: readonly Attack[] = [
  {
    name: "rapid reset",
    counter: "http2.rapid_reset_flood",
    managerCounter: "http.in.downstream_rq_too_many_premature_resets",
    part: (i) => Buffer.concat([request(1 + 2 * i), frame(3, 0, 1 + 2 * i, cancel)]),
    reads: true,
  },
  {
    name: "CONTINUATION without an end",
    counter: "http2.header_overflow",
    part: (i) => (i === 0 ? frame(1, 1, 1, get) : frame(9, 0, 1, Buffer.alloc(1000, 0x82))),
    reads: true,
  },
  {
    name: "CONTINUATION, many with little in each",
    counter: "http2.too_many_header_frames",
    part: (i) => (i === 0 ? frame(1, 1, 1, get) : frame(9, 0, 1, Buffer.of(0x82))),
    reads: true,
  },
  { name: "PING", counter: "http2.outbound_control_flood", part: () => frame(6, 0, 0, Buffer.alloc(8)), reads: false },
  { name: "SETTINGS", counter: "http2.outbound_control_flood", part: () => frame(4, 0, 0), reads: false },
  {
    name: "empty DATA",
    counter: "http2.inbound_empty_frames_flood",
    part: (i) => (i === 0 ? frame(1, 4, 1, post) : frame(0, 0, 1)),
    reads: true,
  },
  {
    name: "WINDOW_UPDATE",
    counter: "http2.inbound_window_update_frames_flood",
    part: () => frame(8, 0, 0, Buffer.from([0, 0, 0, 1])),
    reads: true,
  },
  {
    name: "PRIORITY",
    counter: "http2.inbound_priority_frames_flood",
    part: () => frame(2, 0, 1, Buffer.from([0, 0, 0, 3, 1])),
    reads: true,
  },
];

/** Sends as fast as the proxy takes it, until the proxy ends the connection. @returns the bytes that it took */
function attack(port: number, { part, reads }: Attack): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1");
    let i = 0;
    const send = (): void => {
      if (socket.destroyed || !socket.writable) return;
      const parts: Buffer[] = [];
      for (const end = i + 200; i < end; i++) parts.push(part(i));
      if (socket.bytesWritten > 256 * MIB) reject(new Error("it was never ended"));
      if (socket.write(Buffer.concat(parts))) setImmediate(send);
    };
    socket.on("connect", () => {
      socket.write(greeting);
      send();
    });
    socket.on("drain", send);
    if (reads) socket.resume();
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(socket.bytesWritten));
  });
}

describe("floods on ten connections at a time", () => {
  let backend: Backend;
  let proxy: ProxyProcess;
  /** Memory of a proxy that has served both versions. */
  let warmMiB = 0;

  before(async () => {
    backend = await Backend.named("served");
    proxy = await ProxyProcess.start({ hostPort: backend.port });
    using caller = new Http2Caller(proxy.port);
    for (let i = 0; i < 20; i++) {
      assert.equal((await caller.call({ ":authority": "a" })).body, "served");
      assert.equal((await call(proxy.port)).body, "served");
    }
    warmMiB = proxy.memoryMiB().now;
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  for (const it of attacks) {
    test(`${it.name}: the connections are ended and counted, others are served, memory and delay stay`, async () => {
      using caller = new Http2Caller(proxy.port);
      assert.equal((await caller.call({ ":authority": "a" })).body, "served");
      const { stats: earlier } = await proxy.report();
      {
        await using neighbour = new Neighbour(proxy.port);
        await Promise.all(Array.from({ length: 10 }, () => attack(proxy.port, it)));
        const { stats, delayP99Ms } = await proxy.report();
        for (const counter of [it.counter, it.managerCounter ?? []].flat())
          assert.equal(stats[counter], (earlier[counter] ?? 0) + 10, counter);
        assert.equal(neighbour.failure, undefined);
        assert(neighbour.served > 0);
        assert(neighbour.slowestMs < fairShareMs(1000), `a neighbour waited ${neighbour.slowestMs} ms`);
        assert(delayP99Ms < fairShareMs(MAX_DELAY_MS), `${delayP99Ms} ms of delay`);
      }
      const more = proxy.memoryMiB().most - warmMiB;
      assert(more < 64, `${more} MiB more`);
      assert.equal((await caller.call({ ":authority": "a" })).body, "served");
      await eventuallyActive(proxy, 1);
    });
  }
});

/** The attackers are gone, with all that was kept for them. */
async function eventuallyActive(proxy: ProxyProcess, connections: number): Promise<void> {
  const end = performance.now() + 5000;
  for (;;) {
    const { stats } = await proxy.report();
    if (stats["http.in.downstream_cx_active"] === connections && stats["http.in.downstream_rq_active"] === 0) return;
    assert(performance.now() < end, JSON.stringify(stats["http.in.downstream_cx_active"]));
  }
}

test("a head that comes too slowly ends its connection", async () => {
  await using proxy = await TestProxy.start({
    listeners: [listener("in", 0, { requestHeadersTimeout: duration(200) })],
    routes: [routes("in")],
  });
  for (const start of [preface.subarray(0, 10), Buffer.concat([greeting, frame(1, 1, 1, get)])]) {
    const socket = connect(proxy.port("in"), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(start);
    // A byte now and then does not buy more time.
    let at = start.length;
    const trickle = setInterval(() => {
      if (start.length > 10) socket.write(frame(9, 0, 1, Buffer.from([0x82])));
      else socket.write(preface.subarray(at, ++at));
    }, 50);
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(trickle);
  }
  await until("both are counted", () => proxy.stat("http.in.downstream_rq_header_timeout") === 2);
});

test("100 uploads that the host does not take hold little in the proxy, and a request beside them goes through", async () => {
  await using backend = await Http2Backend.start((stream, headers) => {
    stream.respond({ ":status": 200 });
    if (headers[":path"] === "/stuck") stream.pause();
    else stream.end("ok");
  });
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const rss = process.memoryUsage().rss;
  using caller = new Http2Caller(proxy.port("in"));
  let sent = 0;
  const piece = Buffer.alloc(64 * 1024);
  const stuck = Array.from({ length: 50 }, () => {
    const stream = caller.session.request({ ":method": "POST", ":path": "/stuck", ":authority": "a" });
    stream.on("error", () => undefined);
    const send = (): void => {
      for (let i = 0; i < 64; i++) {
        sent += piece.length;
        if (!stream.write(piece)) {
          stream.once("drain", send);
          return;
        }
      }
    };
    send();
    return stream;
  });
  let last = -1;
  let still = 0;
  await until("nothing moves any more", () => {
    still = sent === last ? still + 1 : 0;
    last = sent;
    return still > 20;
  });
  using other = new Http2Caller(proxy.port("in"));
  assert.equal((await other.call({ ":path": "/", ":authority": "a" })).body, "ok");
  const more = process.memoryUsage().rss - rss;
  assert(more < 96 * MIB, `${more / MIB} MiB more for ${stuck.length} uploads`);
});

test("a client with huge windows that does not read 100 responses of 8 MiB holds little in the proxy", async () => {
  let sent = 0;
  const piece = Buffer.alloc(64 * 1024);
  await using backend = await Backend.start((incoming, response) => {
    if (incoming.url === "/small") {
      response.end("ok");
      return;
    }
    const send = (): void => {
      for (let i = 0; i < 128; i++) {
        sent += piece.length;
        if (!response.write(piece)) {
          response.once("drain", send);
          return;
        }
      }
      response.end();
    };
    send();
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const rss = process.memoryUsage().rss;
  const socket = connect(proxy.port("in"), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.pause();
  const window = Buffer.from([0x7f, 0xff, 0, 0]);
  const settings = frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), window]));
  socket.write(Buffer.concat([preface, settings, frame(8, 0, 0, window)]));
  for (let i = 0; i < 100; i++) socket.write(request(1 + 2 * i));
  let last = -1;
  let still = 0;
  await until(
    "the host is stopped",
    () => {
      still = sent > 0 && sent === last ? still + 1 : 0;
      last = sent;
      return still > 20;
    },
    15_000,
  );
  // Sockets of the system take some 4 MiB each, between the host and the proxy.
  assert(sent < 700 * MIB, `the host has sent ${sent / MIB} MiB`);
  using other = new Http2Caller(proxy.port("in"));
  assert.equal((await other.call({ ":path": "/small", ":authority": "a" })).body, "ok");
  const more = process.memoryUsage().rss - rss;
  assert(more < 192 * MIB, `${more / MIB} MiB more`);
  socket.destroy();
  await until("its requests are given up", () => proxy.stat("http.in.downstream_rq_active") === 0);
});
