import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { Http2Caller } from "../testing/http2-peers.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, type RouteActionInit, routes, staticCluster, toCluster } from "../testing/resources.ts";

type ManagerInit = NonNullable<Parameters<typeof listener>[2]>;

const short = duration(100);
const long = duration(60_000);

/** The most specific that is there counts; the times without a byte are for those that are not. */
const givenUp: readonly (readonly [ManagerInit, RouteActionInit, boolean])[] = [
  [{ streamFlushTimeout: short }, {}, true],
  [{ streamFlushTimeout: long, streamIdleTimeout: short }, {}, false],
  [{ streamIdleTimeout: short }, { idleTimeout: long }, false],
  [{}, { idleTimeout: short }, true],
  [{ streamFlushTimeout: long }, { idleTimeout: short }, false],
  [{ streamFlushTimeout: long }, { flushTimeout: short }, true],
  [{ streamFlushTimeout: short }, { flushTimeout: duration(0) }, false],
];

const proxyTo = (backend: Backend, manager: ManagerInit, route: RouteActionInit): Promise<TestProxy> =>
  TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, manager, { perConnectionBufferLimitBytes: 64 * 1024 * 1024 })],
    routes: [routes("in", toCluster("*", "a", route))],
  });

test("how long the end of a response waits for its client is said by the route, the listener, or the time without a byte", async () => {
  await using backend = await Backend.start((_request, response) => void response.end(Buffer.alloc(30_000, "a")));
  for (const [i, [manager, route, expected]] of givenUp.entries()) {
    await using proxy = await proxyTo(backend, manager, route);
    using caller = new Http2Caller(proxy.port("in"), { initialWindowSize: 1000 });
    const stream = caller.session.request({ ":path": "/" });
    stream.pause();
    stream.on("error", () => undefined);
    const endedUp = (): boolean => proxy.stat("http2.tx_flush_timeout") === 1;
    if (expected) await until(`the end of ${i}`, endedUp);
    else {
      await until(`the response of ${i}`, () => proxy.stat("http.in.downstream_rq_active") === 0);
      await pause(400);
      assert.equal(endedUp(), false, String(i));
    }
  }
});

test("and so over HTTP/1.1, for each response anew", async () => {
  await using backend = await Backend.start((_request, response) => void response.end(Buffer.alloc(8_000_000, "c")));
  await using proxy = await proxyTo(backend, { streamFlushTimeout: long }, { flushTimeout: short });
  const socket = connect(proxy.port("in"), "127.0.0.1");
  socket.pause();
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until("its end", () => proxy.stat("http.in.downstream_cx_idle_timeout") === 1);
  socket.destroy();
});
