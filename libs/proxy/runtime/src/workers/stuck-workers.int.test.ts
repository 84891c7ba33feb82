import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Backend } from "../testing/backend.ts";
import { call, eventually } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

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
    await eventually(() => proxy.stat("workers.watchdog_mega_miss") === 1, "a worker hangs", 20_000);
  }

  end(): void {
    rmSync(join(this.#folder, "held"));
  }

  [Symbol.dispose](): void {
    delete process.env["HANG_FOLDER"];
    rmSync(this.#folder, { recursive: true, force: true });
  }
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
  await eventually(() => stuck().length === 1, "it is named");
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
  await eventually(() => stuck().length === 0, "it goes on");
  assert.equal(proxy.stat("server.workers_stuck"), 0);
  const after = await Promise.all(Array.from({ length: 20 }, () => call(proxy.port("in"), { agent: false })));
  assert.deepEqual(new Set(after.map(({ body }) => body)), new Set(["b"]));
});

test("a proxy with a worker that hangs can be closed", async () => {
  using hang = new Hang();
  await using proxy = await ProxyInThreads.start({ listeners: [listener("in", 0)], routes: [routes("in")] }, options);
  await hang.begin(proxy);
});
