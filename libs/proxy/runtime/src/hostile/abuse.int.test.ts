import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { fairShareMs } from "../testing/fair-share.ts";
import { Neighbour } from "../testing/neighbour.ts";
import { ProxyProcess } from "../testing/proxy-process.ts";
import { frame, greeting, headerBlock, RawHttp2Client, request } from "../testing/raw-http2.ts";

const MIB = 1024 * 1024;
/** Of the event loop. What is not bounded takes seconds. */
const MAX_DELAY_MS = 250;
const piece = Buffer.alloc(64 * 1024, "x");
const get = [":method", "GET", ":scheme", "http", ":path", "/large", ":authority", "a"];

/** `/large` is 64 MiB; all else is small, and its request is read to the end. */
function hostOf(): Promise<Backend> {
  return Backend.start((incoming, response) => {
    incoming.resume();
    incoming.on("error", () => undefined);
    response.on("error", () => undefined);
    if (incoming.url !== "/large") {
      incoming.on("end", () => response.end("small"));
      return;
    }
    let left = (64 * MIB) / piece.length;
    const send = (): void => {
      while (left-- > 0) {
        if (!response.write(piece)) {
          response.once("drain", send);
          return;
        }
      }
      response.end();
    };
    send();
  });
}

function open(port: number, first: string | Buffer): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(first));
  socket.on("error", () => undefined);
  return socket;
}

function closed(sockets: readonly Socket[]): Promise<unknown> {
  return Promise.all(
    sockets.filter(({ destroyed }) => !destroyed).map((socket) => new Promise((done) => socket.once("close", done))),
  );
}

/** Clients that say no more after their beginning. Who goes on writing may fail at that before it has read its answer. */
const SILENT = 10;

function checkTimeouts(answers: readonly string[]): void {
  assert(answers.length >= SILENT, `${answers.length} were answered`);
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
}

/** Starts with a warm proxy, so that what it loads late is not counted against the attack. */
async function warm(proxy: ProxyProcess): Promise<number> {
  for (let i = 0; i < 50; i++) assert.equal((await call(proxy.port)).status, 200);
  await proxy.report();
  return proxy.memoryMiB().now;
}

test("500 clients that send their heads byte by byte are answered 408 in time, and others are served", async () => {
  await using host = await hostOf();
  await using proxy = await ProxyProcess.start({ hostPort: host.port, requestHeadersTimeoutMs: 2000 });
  const before = await warm(proxy);
  {
    await using neighbour = new Neighbour(proxy.port);
    const answers: string[] = [];
    const slow = Array.from({ length: 500 }, () => {
      const socket = open(proxy.port, "GET / HTTP/1.1\r\nHost: a\r\n");
      socket.on("data", (chunk: Buffer) => answers.push(chunk.toString("latin1")));
      return socket;
    });
    // A byte now and then does not buy more time.
    const trickle = setInterval(() => {
      for (const socket of slow.slice(SILENT)) if (socket.writable) socket.write("X");
    }, 50);
    await closed(slow);
    clearInterval(trickle);
    checkTimeouts(answers);
    const { stats, delayP99Ms } = await proxy.report();
    assert.equal(stats["http.in.downstream_rq_header_timeout"], 500);
    assert.equal(neighbour.failure, undefined);
    assert(
      neighbour.served > 2 && neighbour.slowestMs < fairShareMs(1000),
      `${neighbour.served}, ${neighbour.slowestMs} ms`,
    );
    assert(delayP99Ms < fairShareMs(MAX_DELAY_MS), `${delayP99Ms} ms of delay`);
  }
  const more = proxy.memoryMiB().most - before;
  assert(more < 48, `${more} MiB more`);
});

test("200 clients that send their bodies byte by byte are answered 408 in time; their requests end at the host", async () => {
  await using host = await hostOf();
  await using proxy = await ProxyProcess.start({ hostPort: host.port, requestTimeoutMs: 2000 });
  const before = await warm(proxy);
  {
    await using neighbour = new Neighbour(proxy.port);
    const answers: string[] = [];
    const slow = Array.from({ length: 200 }, () => {
      const socket = open(proxy.port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
      socket.on("data", (chunk: Buffer) => answers.push(chunk.toString("latin1")));
      return socket;
    });
    const trickle = setInterval(() => {
      for (const socket of slow.slice(SILENT)) if (socket.writable) socket.write("x");
    }, 50);
    await closed(slow);
    clearInterval(trickle);
    checkTimeouts(answers);
    const { stats, delayP99Ms } = await proxy.report();
    assert.equal(stats["http.in.downstream_rq_timeout"], 200);
    assert.equal(neighbour.failure, undefined);
    assert(neighbour.served > 2);
    assert(delayP99Ms < fairShareMs(MAX_DELAY_MS), `${delayP99Ms} ms of delay`);
    await until(
      "nothing is left at the host",
      async () => (await proxy.stat("cluster.a.upstream_rq_active")) <= 1,
      60_000,
    );
  }
  const more = proxy.memoryMiB().most - before;
  assert(more < 48, `${more} MiB more`);
});

test("30 clients that do not read 64 MiB responses hold little, in both versions, and are ended when nothing moves", async () => {
  await using host = await hostOf();
  await using proxy = await ProxyProcess.start({ hostPort: host.port, streamIdleTimeoutMs: 2000 });
  const before = await warm(proxy);
  {
    await using neighbour = new Neighbour(proxy.port);
    const window = Buffer.from([0x7f, 0xff, 0, 0]);
    const http2 = Buffer.concat([
      greeting.subarray(0, 24),
      frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), window])),
      frame(8, 0, 0, window),
      request(1, get),
    ]);
    const slow = Array.from({ length: 30 }, (_, i) => {
      const socket = open(proxy.port, i % 2 === 0 ? "GET /large HTTP/1.1\r\nHost: a\r\n\r\n" : http2);
      socket.pause();
      return socket;
    });
    // Each report is of the time since the one before it.
    let delayMs = 0;
    await until(
      "all of them are ended",
      async () => {
        const { stats, delayP99Ms } = await proxy.report();
        delayMs = Math.max(delayMs, delayP99Ms);
        return (stats["http.in.downstream_rq_idle_timeout"] ?? 0) >= 30;
      },
      60_000,
    );
    assert(delayMs < fairShareMs(MAX_DELAY_MS), `${delayMs} ms of delay`);
    assert((await proxy.stat("cluster.a.upstream_flow_control_paused_reading_total")) > 0, "the host was not stopped");
    for (const socket of slow) socket.destroy();
    assert.equal(neighbour.failure, undefined);
    assert(
      neighbour.served > 2 && neighbour.slowestMs < fairShareMs(1000),
      `${neighbour.served}, ${neighbour.slowestMs} ms`,
    );
  }
  // 1 MiB for each is what a connection may hold.
  const more = proxy.memoryMiB().most - before;
  assert(more < 120, `${more} MiB more`);
});

test("heads of 60 KiB or 100 headers, and no end of them, cost their connections and nobody else's", async () => {
  await using host = await hostOf();
  await using proxy = await ProxyProcess.start({ hostPort: host.port });
  const before = await warm(proxy);
  {
    await using neighbour = new Neighbour(proxy.port);
    const heads = [
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(61_440)}`,
      `GET / HTTP/1.1\r\nHost: a\r\n${"x: y\r\n".repeat(101)}\r\n`,
      `GET /${"x".repeat(70_000)}`,
    ];
    for (let round = 0; round < 30; round++) {
      const sockets = heads.map((head) => open(proxy.port, head));
      let refused = 0;
      for (const socket of sockets)
        socket.on("data", (chunk: Buffer) => (refused += chunk.includes("HTTP/1.1 431") ? 1 : 0));
      await closed(sockets);
      assert.equal(refused, heads.length);
    }
    using http2 = new RawHttp2Client(proxy.port);
    const many = Array.from({ length: 100 }, (_, i) => [`x-${i}`, "y"]).flat();
    http2.send(Buffer.concat([greeting, request(1, [...get, ...many]), request(3, [...get, "x", "y".repeat(16_000)])]));
    // 60 KiB in frames of 16.
    const large = headerBlock([...get, ...Array.from({ length: 5 }, (_, i) => [`x-${i}`, "y".repeat(13_000)]).flat()]);
    http2.send(frame(1, 1, 5, large.subarray(0, 16_000)));
    for (let at = 16_000; at < large.length; at += 16_000)
      http2.send(frame(9, at + 16_000 >= large.length ? 4 : 0, 5, large.subarray(at, at + 16_000)));
    await until("an answer to each, or an end", () => http2.closed || http2.endOf(5) !== undefined, 60_000);
    const { stats, delayP99Ms } = await proxy.report();
    assert((stats["http.in.downstream_rq_too_large"] ?? 0) >= 91, String(stats["http.in.downstream_rq_too_large"]));
    assert.equal(neighbour.failure, undefined);
    assert(neighbour.served > 2);
    assert(delayP99Ms < fairShareMs(MAX_DELAY_MS), `${delayP99Ms} ms of delay`);
  }
  const more = proxy.memoryMiB().most - before;
  assert(more < 48, `${more} MiB more`);
});

test("1,000 idle connections cost little, and are ended after the idle time", async () => {
  await using host = await hostOf();
  await using proxy = await ProxyProcess.start({ hostPort: host.port, idleTimeoutMs: 1500 });
  const before = await warm(proxy);
  await using neighbour = new Neighbour(proxy.port);
  const answered: string[] = [];
  const idle = Array.from({ length: 1000 }, () => {
    const socket = open(proxy.port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    socket.once("data", () => answered.push("one"));
    return socket;
  });
  await until("all are served", () => answered.length === 1000, 60_000);
  const each = ((proxy.memoryMiB().now - before) * 1024) / 1000;
  assert(each < 64, `${each} KiB for each`);
  await closed(idle);
  const { stats, delayP99Ms } = await proxy.report();
  assert((stats["http.in.downstream_cx_idle_timeout"] ?? 0) >= 1000);
  assert(delayP99Ms < fairShareMs(MAX_DELAY_MS), `${delayP99Ms} ms of delay`);
  assert.equal(neighbour.failure, undefined);
  assert(neighbour.served > 2);
});
