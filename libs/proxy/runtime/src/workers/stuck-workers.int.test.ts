import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import { MetadataSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { assignmentInit, cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

/** The first thread that finds the file `hang` hangs as long as there is the file `held`. */
const hangingModule = `data:text/javascript,${encodeURIComponent(`
  import { existsSync, rmSync } from "node:fs";
  const folder = process.env.HANG_FOLDER;
  setInterval(() => {
    if (!existsSync(folder + "/hang")) return;
    try {
      rmSync(folder + "/hang");
    } catch {
      return; // The other thread was first.
    }
    while (existsSync(folder + "/held"));
  }, 20);`)}`;

/** What makes a worker hang, and lets it go on. */
class Hang implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "fairlead-stuck-"));

  constructor() {
    process.env["HANG_FOLDER"] = this.#folder;
  }

  async begin(proxy: ProxyInThreads): Promise<void> {
    for (const name of ["held", "hang"]) writeFileSync(join(this.#folder, name), "");
    await until("a worker hangs", () => proxy.stat("workers.watchdog_mega_miss") === 1, 20_000);
  }

  end(): void {
    rmSync(join(this.#folder, "held"));
  }

  [Symbol.dispose](): void {
    delete process.env["HANG_FOLDER"];
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const largeBytes = 4 * 2 ** 20;

/** A host with a lot that nobody reads. */
function large(name: string, port: number, fill: string): XdsResource {
  const metadata = { filterMetadata: { "of.others": { much: fill.repeat(largeBytes) } } };
  const message = create(ClusterLoadAssignmentSchema, assignmentInit(name, [port]));
  message.endpoints[0]!.lbEndpoints[0]!.metadata = create(MetadataSchema, metadata);
  return { name, body: toBinary(ClusterLoadAssignmentSchema, message) };
}

/** Of what is on its way to workers, too. */
function memoryOfBuffers(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().arrayBuffers;
}

const workerPatienceMs = 2000;
const options = { modules: () => [hangingModule], workerPatienceMs };

test("a worker that hangs is named, and holds a change up once; when it goes on, it has the change, too", async () => {
  await using a = await Backend.named("a");
  await using b = await Backend.named("b");
  using hang = new Hang();
  const world = {
    clusters: [cluster("a"), cluster("b")],
    endpoints: [endpoints("a", [a.port]), endpoints("b", [b.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  };
  await using proxy = await ProxyInThreads.start(world, options);
  const stuck = () => proxy.dataPlane.stuckWorkers?.() ?? [];
  assert.deepEqual(stuck(), []);
  await hang.begin(proxy);

  assert.deepEqual(await proxy.apply({ routes: [routes("in", toCluster("*", "b"))] }), []);
  await until("it is named", () => stuck().length === 1);
  assert.match(stuck()[0]!, /^worker [01]$/);
  assert.equal(proxy.stat("server.workers_stuck"), 1);
  assert.match(proxy.logged.join("\n"), /a worker thread is stuck; the others go on/);
  const startedMs = performance.now();
  assert.deepEqual(await proxy.apply({ listeners: [listener("in", 0), listener("more", 0)] }), []);
  assert.deepEqual(await proxy.apply({ routes: [routes("more", toCluster("*", "b"))] }), []);
  assert.ok(performance.now() - startedMs < workerPatienceMs, "it is waited for once");
  assert.ok(proxy.port("more") > 0, "a listener is active though that one does not have it");

  // Some of them are in the one that hangs, until it goes on.
  const calls = Array.from({ length: 20 }, () => call(proxy.port("in"), { agent: false }));
  assert.equal((await Promise.any(calls)).body, "b");
  hang.end();
  assert.deepEqual(new Set((await Promise.all(calls)).map(({ status }) => status)), new Set([200]));
  await until("it goes on", () => stuck().length === 0);
  assert.equal(proxy.stat("server.workers_stuck"), 0);
  const after = await Promise.all(Array.from({ length: 20 }, () => call(proxy.port("in"), { agent: false })));
  assert.deepEqual(new Set(after.map(({ body }) => body)), new Set(["b"]));
  assert.equal(proxy.stat("server.worker_crashed"), 0);
});

test("what comes while a worker hangs takes no memory; when the worker goes on, it has the newest of all", async () => {
  await using backends = new AsyncDisposableStack();
  const [a, b, c] = await Promise.all(["a", "b", "c"].map(async (name) => backends.use(await Backend.named(name))));
  using hang = new Hang();
  const world = (to: Backend, fill: number) => ({ endpoints: [large("a", to.port, String(fill % 10))] });
  await using proxy = await ProxyInThreads.start(
    {
      clusters: [cluster("a")],
      ...world(a!, 0),
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    },
    options,
  );
  await hang.begin(proxy);
  await proxy.apply(world(b!, 1));
  const before = memoryOfBuffers();
  for (let i = 0; i < 40; i++) await proxy.apply(world(i % 2 === 0 ? a! : b!, i));
  // What a collection finds is given back by another thread, some time later.
  await until("memory of what came meanwhile is given back", () => memoryOfBuffers() - before < 5 * largeBytes);
  // What comes into being meanwhile is there, too.
  await proxy.apply({ ...world(c!, 2), listeners: [listener("in", 0), listener("more", 0)] });
  await proxy.apply({ routes: [routes("in", toCluster("*", "a")), routes("more", toCluster("*", "a"))] });
  hang.end();
  await until("it goes on", () => proxy.dataPlane.stuckWorkers?.().length === 0);
  for (const name of ["in", "more"]) {
    const calls = Array.from({ length: 20 }, () => call(proxy.port(name), { agent: false }));
    assert.deepEqual(new Set((await Promise.all(calls)).map(({ body }) => body)), new Set(["c"]));
  }
  const requests = proxy.dataPlane.stats().get("cluster.a.upstream_rq_total");
  assert.equal(requests, 40, "both count in what is shown");
  assert.equal(proxy.stat("server.worker_crashed"), 0);
});

test("a worker that hung while something was removed and came back is replaced", async () => {
  await using a = await Backend.named("a");
  using hang = new Hang();
  const world = {
    clusters: [cluster("a")],
    endpoints: [endpoints("a", [a.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  };
  await using proxy = await ProxyInThreads.start(world, options);
  await hang.begin(proxy);
  await proxy.apply({ routes: world.routes });
  await proxy.apply({ clusters: [] });
  await proxy.apply({ clusters: world.clusters, endpoints: world.endpoints });
  hang.end();
  await until("it is replaced", () => proxy.stat("server.worker_crashed") === 1);
  assert.match(proxy.logged.join("\n"), /is replaced .*stuck while a was changed or removed/);
  await until("it is there again", () => proxy.dataPlane.stuckWorkers?.().length === 0);
  await until("it serves", () => proxy.dataPlane.listeners().every(({ state }) => state === "active"));
  const calls = Array.from({ length: 20 }, () => call(proxy.port("in"), { agent: false }));
  assert.deepEqual(new Set((await Promise.all(calls)).map(({ body }) => body)), new Set(["a"]));
});

test("a proxy with a worker that hangs can be closed", async () => {
  using hang = new Hang();
  await using proxy = await ProxyInThreads.start({ listeners: [listener("in", 0)], routes: [routes("in")] }, options);
  await hang.begin(proxy);
});
