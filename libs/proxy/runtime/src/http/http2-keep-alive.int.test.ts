import assert from "node:assert/strict";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Http2Backend, Http2Caller } from "../testing/http2-peers.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, listener, routes, toCluster } from "../testing/resources.ts";

const connectionKeepalive = { interval: duration(20), timeout: duration(60) };

/** Passes bytes on until it is told to swallow them, as a network does whose other end is gone. */
class Link implements AsyncDisposable {
  swallows = false;
  readonly #sockets: Socket[] = [];
  readonly #server;

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connectTcp(port, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.push(from);
        from.on("error", () => from.destroy());
        from.on("data", (chunk: Buffer) => this.swallows || to.write(chunk));
        from.on("close", () => this.swallows || to.destroy());
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test("a host that is gone without a word is noticed, and its requests fail", async () => {
  await using backend = await Http2Backend.start(() => undefined);
  await using link = new Link(backend.port);
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [await link.listen()], {}, { connectionKeepalive })],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  using caller = new Http2Caller(proxy.port("in"));
  const answer = caller.call({ ":path": "/" });
  await until("the request", () => backend.requests === 1);
  link.swallows = true;
  const { status, body } = await answer;
  assert.equal(status, 503);
  assert.match(body, /connection termination/);
  assert.equal(proxy.stat("cluster.a.http2.keepalive_timeout"), 1);
});

test("a client that is gone without a word is noticed; one that answers stays", async () => {
  await using backend = await Http2Backend.start((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  await using proxy = await TestProxy.start({
    clusters: [http2Cluster("a", [backend.port])],
    listeners: [listener("in", 0, { http2ProtocolOptions: { connectionKeepalive } })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  await using link = new Link(proxy.port("in"));
  using caller = new Http2Caller(await link.listen());
  using there = new Http2Caller(proxy.port("in"));
  assert.equal((await caller.call({ ":path": "/" })).status, 200);
  assert.equal((await there.call({ ":path": "/" })).status, 200);
  let pings = 0;
  there.session.on("ping", () => pings++);
  link.swallows = true;
  await until("the time-out", () => proxy.stat("http2.keepalive_timeout") === 1);
  assert.equal(proxy.stat("http.in.downstream_cx_active"), 1);
  await until("PINGs to the other", () => pings > 2);
  assert.equal((await there.call({ ":path": "/" })).status, 200);
});
