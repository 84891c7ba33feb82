import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const body = Buffer.alloc(30_000, "a");

async function proxyTo(backend: Backend, perConnectionBufferLimitBytes?: number): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("in", 0, {}, perConnectionBufferLimitBytes === undefined ? {} : { perConnectionBufferLimitBytes }),
    ],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

test("a client that sends requests and does not read gets no more responses than fit its connection", async () => {
  let served = 0;
  await using backend = await Backend.start((_request, response) => {
    served++;
    response.end(body);
  });
  await using proxy = await proxyTo(backend);
  const requests = 1500; // 45 MB of responses; the sockets' own buffers take some 6 MB
  const socket = connect(proxy.port("in"), "127.0.0.1");
  let received = 0;
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(requests));
  let before = -1;
  while (served !== before) {
    before = served;
    await pause(300);
  }
  assert(served > 0 && served < requests / 2, `${served} of ${requests} were served`);
  socket.on("data", (chunk) => (received += chunk.length));
  socket.resume();
  await until("all of them, once it reads", () => served === requests && received > requests * body.length);
  socket.destroy();
});

test("the last response is not cut short when its client is slow", async () => {
  const whole = Buffer.alloc(30_000_000, "b");
  await using backend = await Backend.start((_request, response) => void response.end(whole));
  // The proxy takes all of it, so that most of it waits there when the response has ended.
  await using proxy = await proxyTo(backend, 64 * 1024 * 1024);
  const socket = connect(proxy.port("in"), "127.0.0.1");
  let received = 0;
  let closed = false;
  socket.on("close", () => (closed = true));
  socket.on("error", () => undefined);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await until("the response", () => proxy.stat("http.in.downstream_rq_completed") === 1);
  await until("its end", () => proxy.stat("http.in.downstream_rq_active") === 0);
  await pause(1500); // longer than the proxy waits for a client that has read all
  socket.on("data", (chunk) => (received += chunk.length));
  socket.resume();
  await until("the end", () => closed);
  assert(received > whole.length, `${received} of ${whole.length} bytes came`);
});

test("a complete response that its client takes nothing of is given up, over HTTP/2 and HTTP/1.1", async () => {
  await using backend = await Backend.start((_request, response) => void response.end(Buffer.alloc(8_000_000, "c")));
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("in", 0, { streamIdleTimeout: duration(200) }, { perConnectionBufferLimitBytes: 64 * 1024 * 1024 }),
    ],
    routes: [routes("in", toCluster("*", "a"))],
  });
  using caller = new Http2Caller(proxy.port("in"), { initialWindowSize: 1000 });
  await using small = await Backend.start((_request, response) => void response.end(body));
  await proxy.apply({ clusters: [staticCluster("a", [small.port])] });
  const stream = caller.session.request({ ":path": "/" });
  stream.pause();
  stream.on("error", () => undefined);
  await until("the stream's end", () => proxy.stat("http2.tx_flush_timeout") === 1);
  assert.equal(proxy.stat("http.in.downstream_rq_active"), 0);
  await proxy.apply({ clusters: [staticCluster("a", [backend.port])] });
  const socket = connect(proxy.port("in"), "127.0.0.1");
  socket.pause();
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until("the response", () => proxy.stat("http.in.downstream_rq_completed") === 2);
  await until("its end", () => proxy.stat("http.in.downstream_cx_idle_timeout") === 1);
  socket.destroy();
});
