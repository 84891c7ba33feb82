import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { typeUrls } from "@fairlead/envoy-api";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call, keepAliveAgent } from "../testing/client.ts";
import type { World } from "../testing/proxy.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

function world(backend: Backend): World {
  return {
    clusters: [cluster("a")],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  };
}

/** Requests on connections of their own, until each worker has had some: the system spreads them as it likes. */
async function callOverAllWorkers(proxy: ProxyInThreads, servers: Set<unknown>, count = 2): Promise<number> {
  let calls = 0;
  const before = new Set(servers);
  const seen = (): number => [...servers].filter((server) => !before.has(server)).length;
  while (calls < 500 && seen() < count) {
    const { status } = await call(proxy.port("in"), { agent: false });
    assert.equal(status, 200);
    calls++;
  }
  return calls;
}

test("both workers serve, and are counted as if there were one thread", async () => {
  await using backend = await Backend.named("a");
  // A worker keeps its connections to hosts: each has one of its own.
  const upstream = new Set<unknown>();
  backend.server.on("connection", (socket) => upstream.add(socket));
  await using proxy = await ProxyInThreads.start(world(backend));
  const calls = await callOverAllWorkers(proxy, upstream);
  assert.equal(upstream.size, 2);
  await until("all requests ended", () => proxy.stat("http.in.downstream_rq_active") === 0);
  const stats = ["http.in.downstream_rq_total", "cluster.a.upstream_rq_200", "cluster.a.upstream_rq_total"];
  assert.deepEqual(stats.map((name) => proxy.stat(name)), [calls, calls, calls]); // prettier-ignore
  assert.deepEqual([proxy.stat("cluster.a.membership_total"), proxy.stat("cluster.a.upstream_cx_active")], [1, 2]);
  assert.equal(proxy.dataPlane.activeRequests("a"), 0);
  assert.equal(await proxy.dataPlane.whenIdle("a", { quietMs: 1, timeoutMs: 1000 }), true);
  await until(
    "the host's requests of both",
    () => proxy.dataPlane.clusterStats()[0]?.hosts[0]?.totalRequests === calls,
  );
  assert.deepEqual(proxy.dataPlane.routeFor("in", "x"), { clusters: ["a"] });
});

test("a change is in force in all workers when it has been applied", async () => {
  await using a = await Backend.named("a");
  await using b = await Backend.named("b");
  await using proxy = await ProxyInThreads.start({
    ...world(a),
    clusters: [cluster("a"), cluster("b")],
    endpoints: [endpoints("a", [a.port]), endpoints("b", [b.port])],
  });
  for (const name of ["b", "a", "b"]) {
    await proxy.apply({ routes: [routes("in", toCluster("*", name))] });
    const bodies = await Promise.all(
      Array.from({ length: 30 }, async () => (await call(proxy.port("in"), { agent: false })).body),
    );
    assert.deepEqual([...new Set(bodies)], [name]);
  }
});

test("what is rejected is told once, with what is wrong, and what was in force stays", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await ProxyInThreads.start(world(backend));
  const rejections = await proxy.apply({ routes: [{ name: "in", body: Buffer.from([0xff]) }] });
  assert.deepEqual(rejections.map(({ name }) => name), ["in"]); // prettier-ignore
  assert.equal((await call(proxy.port("in"))).status, 200);
});

test("an address that another has is rejected, though workers share theirs", async () => {
  await using backend = await Backend.named("a");
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen({ host: "127.0.0.1", port: 0, reusePort: true }, resolve));
  const address = taken.address();
  assert.ok(typeof address === "object" && address !== null);
  await using proxy = await ProxyInThreads.start(world(backend));
  const rejections = await proxy.dataPlane.apply(typeUrls.listener, [
    listener("in", 0),
    listener("other", address.port),
  ]);
  assert.deepEqual(rejections, [
    { name: "other", reason: `address: cannot bind 127.0.0.1:${address.port}: EADDRINUSE` },
  ]);
  await new Promise((resolve) => taken.close(resolve));
});

test("a drain fails no request and loses no connection that has one", async () => {
  await using slow = await Backend.start((_request, response) => void setTimeout(() => response.end("slow"), 200));
  await using proxy = await ProxyInThreads.start(world(slow));
  const agent = keepAliveAgent(20);
  const calls = Promise.all(Array.from({ length: 20 }, () => call(proxy.port("in"), { agent })));
  await until("all requests arrived", () => slow.requests === 20);
  await proxy.dataPlane.drain();
  assert.deepEqual(new Set((await calls).map(({ status }) => status)), new Set([200]));
  agent.destroy();
  assert.equal(proxy.stat("http.in.downstream_rq_active"), 0);
});

/** Ends the thread that finds the file. */
const crashModule = `data:text/javascript,${encodeURIComponent(`
  import { existsSync, rmSync } from "node:fs";
  setInterval(() => {
    if (!existsSync(process.env.CRASH_FILE ?? "")) return;
    try {
      rmSync(process.env.CRASH_FILE);
    } catch {
      return; // The other thread was first.
    }
    throw new Error("a defect");
  }, 20);`)}`;

test("a worker that ends is started again, with the configuration in force and its counters", async () => {
  await using backend = await Backend.named("a");
  const folder = mkdtempSync(join(tmpdir(), "fairlead-workers-"));
  const file = join(folder, "crash");
  process.env["CRASH_FILE"] = file;
  try {
    const two = { ...world(backend), clusters: [cluster("a"), cluster("b")] };
    const [ofA, ofB] = [endpoints("a", [backend.port]), endpoints("b", [backend.port])];
    await using proxy = await ProxyInThreads.start({ ...two, endpoints: [ofA, ofB] }, { modules: () => [crashModule] });
    // A response has what changed only; what it does not have is in force as well.
    assert.deepEqual(await proxy.apply({ endpoints: [ofB] }), []);
    const upstream = new Set<unknown>();
    backend.server.on("connection", (socket) => upstream.add(socket));
    const before = await callOverAllWorkers(proxy, upstream);
    writeFileSync(file, "");
    await until("the worker ended", () => proxy.stat("server.worker_crashed") === 1, 20_000);
    assert.match(proxy.logged.join("\n"), /a worker thread has ended; it is started again/);
    await until("it serves again", () => proxy.dataPlane.listeners()[0]?.state === "active", 20_000);
    // The other one has its connection; the new one makes its own.
    const after = await callOverAllWorkers(proxy, upstream, 1);
    assert.equal(proxy.stat("http.in.downstream_rq_total"), before + after);
    await until(
      "no connection is counted of the thread that has ended",
      () => proxy.stat("http.in.downstream_cx_active") === 0,
    );
  } finally {
    delete process.env["CRASH_FILE"];
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Keeps its thread busy for a moment when the file is there. */
const stuckModule = `data:text/javascript,${encodeURIComponent(`
  import { existsSync, rmSync } from "node:fs";
  setInterval(() => {
    if (!existsSync(process.env.STUCK_FILE ?? "")) return;
    try {
      rmSync(process.env.STUCK_FILE);
    } catch {
      return; // The other thread was first.
    }
    const end = Date.now() + 1500;
    while (Date.now() < end);
  }, 20);`)}`;

test("a thread that is stuck is seen, and the numbers are there, while it is", async () => {
  await using backend = await Backend.named("a");
  const folder = mkdtempSync(join(tmpdir(), "fairlead-workers-"));
  const file = join(folder, "stuck");
  process.env["STUCK_FILE"] = file;
  try {
    await using proxy = await ProxyInThreads.start(world(backend), { modules: () => [stuckModule] });
    writeFileSync(file, "");
    await until("it is seen", () => proxy.stat("workers.watchdog_mega_miss") === 1, 20_000);
    assert.ok(proxy.stat("workers.watchdog_miss") >= 1);
  } finally {
    delete process.env["STUCK_FILE"];
    rmSync(folder, { recursive: true, force: true });
  }
});

test("workers that end again and again are given up with an error that says why", async () => {
  const module = `data:text/javascript,${encodeURIComponent('throw new Error("it cannot start")')}`;
  const { promise, resolve } = Promise.withResolvers<Error>();
  await using proxy = new ProxyInThreads({ modules: () => [module], onFailure: resolve });
  void proxy.dataPlane.apply(typeUrls.cluster, []);
  const failure = await promise;
  assert.match(failure.message, /again and again; the last: it cannot start/);
  assert.ok("code" in failure && failure.code === "FL_WORKERS_FAIL");
});
