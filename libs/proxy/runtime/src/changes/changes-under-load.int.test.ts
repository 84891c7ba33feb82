import assert from "node:assert/strict";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call, keepAliveAgent } from "../testing/client.ts";
import { plainWorld } from "../testing/plain-world.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

/** Clients that send one request after the other until they are told to stop. */
class Load {
  readonly failures: string[] = [];
  done = 0;
  #stopped = false;
  readonly #clients: Promise<void>[];

  constructor(port: number, clients: number) {
    const agent = keepAliveAgent(clients);
    this.#clients = Array.from({ length: clients }, async () => {
      while (!this.#stopped) {
        try {
          const answer = await call(port, { agent });
          if (answer.status !== 200) this.failures.push(`${answer.status} ${answer.body}`);
        } catch (error) {
          this.failures.push(String(error));
        }
        this.done++;
      }
    });
    void Promise.all(this.#clients).then(() => agent.destroy());
  }

  async progress(requests: number): Promise<void> {
    const target = this.done + requests;
    await until(`${requests} more requests`, () => this.done >= target);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }
}

test("an endpoint that leaves under load fails no request, gets no new one, and its idle connections close", async () => {
  await using kept = await Backend.named("kept");
  await using leaving = await Backend.start((_request, response) => void setTimeout(() => response.end("leaving"), 3));
  let open = 0;
  leaving.server.on("connection", (socket) => {
    open++;
    socket.on("close", () => open--);
  });
  await using proxy = await TestProxy.start(plainWorld(kept.port, leaving.port));
  const load = new Load(proxy.port("in"), 8);
  for (let round = 0; round < 10; round++) {
    await load.progress(50);
    await proxy.apply({ endpoints: [endpoints("a", [kept.port])] });
    const before = leaving.requests;
    await load.progress(50);
    // Those that had chosen it before the change may still arrive.
    assert(leaving.requests - before <= 8, `${leaving.requests - before} requests after it left`);
    await until("connections to the endpoint that left are closed", () => open === 0);
    await proxy.apply({ endpoints: [endpoints("a", [kept.port, leaving.port])] });
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert(leaving.requests > 10);
});

test("a hundred changes of everything under load fail no request", async () => {
  await using one = await Backend.named("one");
  await using two = await Backend.named("two");
  const world = (i: number): Parameters<typeof TestProxy.start>[0] => ({
    clusters: [cluster("a", { maxRequestsPerConnection: 1000 + i }), cluster(`b${i % 3}`)],
    endpoints: [endpoints("a", i % 2 === 0 ? [one.port] : [two.port]), endpoints(`b${i % 3}`, [two.port])],
    listeners: [listener("in", 0, { serverName: `v${i}` })],
    routes: [routes("in", toCluster("*", i % 2 === 0 ? "a" : `b${i % 3}`))],
  });
  await using proxy = await TestProxy.start(world(0));
  const load = new Load(proxy.port("in"), 6);
  for (let i = 1; i <= 100; i++) {
    // Make before break, as a control plane does: new clusters, routes to them, then the old clusters go.
    const { clusters: next = [], ...rest } = world(i);
    const { clusters: last = [] } = world(i - 1);
    assert.deepEqual(await proxy.apply({ clusters: [...next, ...last.slice(1)].filter(unique), ...rest }), []);
    await load.progress(10);
    assert.deepEqual(await proxy.apply({ clusters: next }), []);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert(load.done >= 1000);
});

function unique(resource: { name: string }, index: number, all: readonly { name: string }[]): boolean {
  return all.findIndex((other) => other.name === resource.name) === index;
}

test("a change of a listener's address moves it, a removal drains it", async () => {
  let answer = (): void => {};
  await using backend = await Backend.start((request, response) => {
    if (request.url === "/slow") answer = () => response.end("slow");
    else response.end("fast");
  });
  await using proxy = await TestProxy.start(plainWorld(backend.port));
  const port = proxy.port("in");
  const slow = call(port, { path: "/slow" });
  await until("the slow request has arrived", () => backend.requests === 1);
  assert.equal(proxy.runtime.activeRequests("a"), 1);
  const idle = proxy.runtime.whenIdle("a", { quietMs: 20, timeoutMs: 5000 });
  assert.equal(await proxy.runtime.whenIdle("a", { quietMs: 20, timeoutMs: 60 }), false);
  await proxy.apply({ listeners: [] });
  assert.deepEqual(
    proxy.runtime.listeners().map((it) => it.state),
    ["draining"],
  );
  await assert.rejects(call(port), /ECONNREFUSED/);
  answer();
  assert.equal((await slow).body, "slow");
  assert.equal(await idle, true);
  await until("the listener has drained", () => proxy.runtime.listeners().length === 0);
  await proxy.apply({ listeners: [listener("in", 0)] });
  assert.deepEqual(proxy.runtime.wantedNames(typeUrls.route), ["in"]);
});

test("drain lets requests end and tells clients to close", async () => {
  let answer = (): void => {};
  await using backend = await Backend.start((_request, response) => {
    answer = () => response.end("late");
  });
  await using proxy = await TestProxy.start(plainWorld(backend.port));
  const agent = keepAliveAgent(1);
  const late = call(proxy.port("in"), { agent });
  await until("the request has arrived", () => backend.requests === 1);
  const drained = proxy.runtime.drain();
  await until("draining", () => proxy.runtime.listeners().every((it) => it.state === "draining"));
  answer();
  const response = await late;
  assert.equal(response.body, "late");
  assert.equal(response.headers.connection, "close");
  await drained;
  agent.destroy();
});
