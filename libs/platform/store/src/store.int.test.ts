import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { CatalogueReplica, type Instance, instanceKey, type MeshNode } from "@fairlead/model";
import { until } from "@fairlead/testing-basics";
import { startTestPostgres, type TestPostgres } from "@fairlead/testing-servers";
import { createDataSource } from "./data-source.ts";
import { openStore, type PendingAnnouncement, type Store } from "./index.ts";

const logger = createLogger({ service: "test", level: "silent" });
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
let postgres: TestPostgres;
let store: Store;

before(async () => {
  postgres = await startTestPostgres();
  store = await openStore({ url: postgres.url, logger });
  await Promise.all([store.migrate(), store.migrate()]); // as two replicas do
});
after(async () => {
  await store.close();
  await postgres.stop();
});

function node(id: string): MeshNode {
  return { id, app: "shop", address: "10.0.0.1", inboundPort: 15006, labels: { zone: "a" } };
}
function instance(nodeId: string, name: string, more: Partial<Instance> = {}): Instance {
  const base = {
    protocol: "http",
    port: 8080,
    version: "",
    group: "",
    methods: [],
    labels: {},
    weight: 100,
    state: "ready",
  } as const;
  return { nodeId, interface: name, ...base, ...more };
}
async function publish(target: Store, nodeId: string, name: string, more: Partial<Instance> = {}) {
  return await target.write(traceparent, async (tx) => {
    await tx.putNode(node(nodeId), 30_000);
    const published = instance(nodeId, name, more);
    await tx.publishService(published);
    return await tx.putInstance(published);
  });
}
async function drain(target: Store): Promise<PendingAnnouncement[]> {
  const seen: PendingAnnouncement[] = [];
  while ((await target.takePending(50, async (pending) => void seen.push(...pending))) > 0);
  return seen;
}

test("the migrations give exactly what the entities describe", async () => {
  const source = createDataSource({
    url: postgres.url,
    poolSize: 1,
    statementTimeoutMs: 0,
    onPoolError: () => undefined,
  });
  await source.initialize();
  try {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    assert.deepEqual(
      upQueries.map(({ query }) => query),
      [],
    );
  } finally {
    await source.destroy();
  }
});

describe("writing", () => {
  test("one publication is one revision with a row for each object; the same again is none", async () => {
    await drain(store);
    const start = await store.revision();
    const first = await publish(store, "n1", "shop.Orders");
    assert.deepEqual(first, { result: "created", revision: start + 1, changed: true });
    const again = await publish(store, "n1", "shop.Orders");
    assert.deepEqual(again, { result: "unchanged", revision: start + 1, changed: false });
    const page = await store.changesSince(start);
    assert.ok(!page.gap);
    assert.deepEqual(
      page.changes.map((change) => [change.revision - start, change.kind, change.key, change.traceparent]),
      [
        [1, "node", "n1", traceparent],
        [1, "service", "http/shop.Orders", traceparent],
        [1, "instance", instanceKey(instance("n1", "shop.Orders")), traceparent],
      ],
    );
    assert.deepEqual(page.changes[2]!.value, instance("n1", "shop.Orders"));
    const announced = await drain(store);
    assert.deepEqual(
      announced.map((one) => [one.revision, one.objects.length, one.traceparent]),
      [[start + 1, 3, traceparent]],
    );
  });

  test("what fails leaves nothing", async () => {
    const start = await store.revision();
    await assert.rejects(
      store.write(undefined, async (tx) => {
        await tx.putNode(node("undone"), 1000);
        throw new RangeError("no");
      }),
      { code: "FL_INTERNAL", message: "no" },
    );
    assert.equal(await store.revision(), start);
    assert.equal((await store.snapshot()).nodes.has("undone"), false);
  });

  test("a node takes its instances and subscriptions along", async () => {
    await publish(store, "leaving", "shop.Leaving");
    await store.write(undefined, async (tx) => {
      await tx.subscribeService("shop.Orders", "http");
      return await tx.putSubscription({ nodeId: "leaving", interface: "shop.Orders" });
    });
    const { revision } = await store.write(undefined, (tx) => tx.removeNode("leaving"));
    const page = await store.changesSince(revision - 1);
    assert.ok(!page.gap);
    assert.deepEqual(
      page.changes.map(({ kind, value }) => [kind, value]),
      [
        ["instance", undefined],
        ["subscription", undefined],
        ["node", undefined],
      ],
    );
    assert.equal((await store.write(undefined, (tx) => tx.removeNode("leaving"))).changed, false);
  });

  test("a publication corrects the protocol that a subscription assumed", async () => {
    await store.write(undefined, (tx) => tx.subscribeService("shop.Rpc", "http"));
    await publish(store, "n1", "shop.Rpc", { protocol: "dubbo", port: 20880 });
    await store.write(undefined, (tx) => tx.subscribeService("shop.Rpc", "http"));
    const { services } = await store.snapshot();
    assert.deepEqual(
      [...services.keys()].filter((key) => key.endsWith("shop.Rpc")),
      ["dubbo/shop.Rpc"],
    );
  });

  test("leases run by PostgreSQL's clock; a renewal keeps a node and makes no revision", async () => {
    await publish(store, "short", "shop.Short");
    await publish(store, "renewed", "shop.Short");
    const end = (ttlMs: number, id: string) => store.write(undefined, (tx) => tx.renewLease(id, ttlMs));
    await end(-1, "short");
    await end(-1, "renewed");
    assert.deepEqual(await end(30_000, "renewed").then(({ result, changed }) => [result, changed]), [true, false]);
    assert.equal((await end(30_000, "unknown")).result, false);
    const { result, changed } = await store.write(undefined, (tx) => tx.expireNodes(100));
    assert.deepEqual([result, changed], [["short"], true]);
    const { instances } = await store.snapshot();
    assert.deepEqual(
      [...instances.values()].filter((one) => one.interface === "shop.Short").map((one) => one.nodeId),
      ["renewed"],
    );
  });

  test("a service stays while something names it, and for the retention after", async () => {
    await publish(store, "n2", "shop.Kept");
    await publish(store, "n2", "shop.Gone");
    const sweep = async (retentionMs: number) =>
      (await store.write(undefined, (tx) => tx.removeUnusedServices(retentionMs, 100))).result.map(
        (service) => service.interface,
      );
    await store.write(undefined, (tx) => tx.removeInstance(instance("n2", "shop.Gone")));
    assert.deepEqual(
      (await sweep(60_000)).filter((name) => name === "shop.Gone"),
      [],
    );
    await publish(store, "n2", "shop.Back");
    await store.write(undefined, (tx) => tx.removeInstance(instance("n2", "shop.Back")));
    await sweep(60_000); // marks it
    await publish(store, "n2", "shop.Back");
    const removed = await sweep(-1);
    assert.ok(
      removed.includes("shop.Gone") && !removed.includes("shop.Kept") && !removed.includes("shop.Back"),
      removed.join(),
    );
    assert.ok(!(await store.snapshot()).services.has("http/shop.Gone"));
  });
});

test("two replicas writing 200 changes: revisions without gaps, each announced once, a replica follows to the same state", async () => {
  const second = await openStore({ url: postgres.url, logger });
  await drain(store);
  const start = await store.revision();
  const follower = new CatalogueReplica();
  follower.reset(await store.snapshot());
  const announced: number[] = [];
  const done = new AbortController();
  const announce = async (target: Store) => {
    while (!done.signal.aborted || (await target.countPending()) > 0) {
      await target.takePending(10, async (pending) => void announced.push(...pending.map(({ revision }) => revision)));
    }
  };
  const announcing = [announce(store), announce(second)];
  const written = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      publish(n % 2 === 0 ? store : second, `c${n % 20}`, `shop.Many${n % 7}`, { port: 1000 + n }),
    ),
  );
  done.abort();
  await Promise.all(announcing);
  const expected = Array.from({ length: 200 }, (_, n) => start + 1 + n);
  const sorted = (numbers: number[]) => numbers.toSorted((a, b) => a - b);
  assert.deepEqual(sorted(written.map(({ revision }) => revision)), expected);
  assert.deepEqual(sorted(announced), expected);
  for (let from = start; from < start + 200;) {
    const page = await second.changesSince(from, { limit: 7 });
    assert.ok(!page.gap && page.revision > from);
    for (const change of page.changes) follower.apply(change);
    from = page.revision;
  }
  const fresh = new CatalogueReplica();
  fresh.reset(await store.snapshot());
  assert.deepEqual(follower, fresh);
  await second.close();
});

test("the change log says when it does not reach back", async () => {
  const revision = await store.revision();
  assert.deepEqual(await store.changesSince(revision), { gap: false, changes: [], revision });
  assert.deepEqual(await store.changesSince(revision + 1), { gap: true });
  assert.ok((await store.trimChangeLog(5)) > 0);
  assert.deepEqual(await store.changesSince(revision - 6), { gap: true });
  const page = await store.changesSince(revision - 5);
  assert.ok(!page.gap);
  assert.equal(page.changes[0]!.revision, revision - 4);
  assert.equal(await store.trimChangeLog(5), 0);
});

test("an announcement that could not be published stays", async () => {
  await drain(store);
  let signals = 0;
  const stop = store.onPending(() => signals++);
  await publish(store, "n3", "shop.Announced");
  stop();
  assert.equal(signals, 1);
  await assert.rejects(
    store.takePending(10, () => Promise.reject(new RangeError("bus"))),
    /bus/,
  );
  assert.equal(await store.countPending(), 1);
  assert.equal((await drain(store)).length, 1);
});

test("lists go page by page", async () => {
  await store.write(undefined, async (tx) => {
    for (const name of ["a", "b", "c"]) {
      await tx.putPolicy({
        kind: "VirtualService",
        namespace: "default",
        name,
        file: "x.yaml",
        line: 1,
        text: "kind: x",
      });
    }
  });
  const first = await store.listPolicies({ limit: 2 });
  assert.deepEqual([first.items.map(({ name }) => name), first.next], [["a", "b"], "VirtualService/default/b"]);
  const second = await store.listPolicies({ limit: 2, after: first.next });
  assert.deepEqual([second.items.map(({ name }) => name), second.next], [["c"], undefined]);
  const found = await store.listInstances({ limit: 10, nodeId: "n1", interface: "shop.Orders" });
  assert.deepEqual(found.items, [instance("n1", "shop.Orders")]);
  assert.deepEqual(
    [...(await store.findPolicies(["VirtualService/default/c", "VirtualService/default/z"])).keys()],
    ["VirtualService/default/c"],
  );
  const [registered] = (await store.listNodes({ limit: 1, after: "n0" })).items;
  assert.ok(registered!.id === "n1" && registered!.leaseRemainingMs > 0 && registered!.leaseRemainingMs <= 30_000);
});

test("an advisory lock has one holder, and its loss is told", async () => {
  const lock = await store.tryLock("compile");
  assert.ok(lock);
  assert.equal(await store.tryLock("compile"), undefined);
  const heldForMs = await store.lockHeldForMs("compile");
  assert.ok(heldForMs !== undefined && heldForMs >= 0 && heldForMs < 60_000, String(heldForMs));
  assert.equal(await store.lockHeldForMs("other"), undefined);
  await lock.release();
  assert.equal(await store.lockHeldForMs("compile"), undefined);
  assert.equal(lock.lost.aborted, false);
  const next = await store.tryLock("compile");
  assert.ok(next);
  await postgres.kill();
  if (!next.lost.aborted) await new Promise((resolve) => next.lost.addEventListener("abort", resolve));
  await postgres.restart();
});

describe("without PostgreSQL", () => {
  test("a killed one gives FL_STORE_UNAVAILABLE, and goes on where it was", async () => {
    await until("PostgreSQL is reachable", () => store.reachable(), 15_000);
    const { revision } = await publish(store, "n4", "shop.Durable");
    await postgres.kill();
    assert.equal(await store.reachable(), false);
    await assert.rejects(publish(store, "n4", "shop.Lost"), { code: "FL_STORE_UNAVAILABLE" });
    await assert.rejects(store.snapshot(), { code: "FL_STORE_UNAVAILABLE" });
    await assert.rejects(store.tryLock("x"), { code: "FL_STORE_UNAVAILABLE" });
    const early = await openStore({ url: postgres.url, logger });
    await assert.rejects(early.revision(), { code: "FL_STORE_UNAVAILABLE" });
    await postgres.restart();
    await until("PostgreSQL is reachable", () => store.reachable(), 15_000);
    assert.equal(await early.revision(), revision);
    assert.equal((await publish(store, "n4", "shop.After")).revision, revision + 1);
    await early.close();
  });

  test("a silent one does too, within seconds", async () => {
    await postgres.pause();
    const started = Date.now();
    const impatient = await openStore({ url: postgres.url, logger, statementTimeoutMs: 500, poolSize: 2 });
    await assert.rejects(impatient.revision(), { code: "FL_STORE_UNAVAILABLE" });
    await assert.rejects(publish(store, "n5", "shop.Silent"), { code: "FL_STORE_UNAVAILABLE" });
    assert.ok(Date.now() - started < 9000);
    await postgres.resume();
    await until("PostgreSQL is reachable", () => store.reachable(), 15_000);
    await publish(store, "n5", "shop.Silent");
    await impatient.close();
  });

  test("messages and facts do not carry the password", async () => {
    const wrong = await openStore({ url: postgres.url.replace(/:[^:@]+@/, ":hunter2@"), logger });
    await assert.rejects(wrong.revision(), (error: Error & { code: string }) => {
      assert.equal(error.code, "FL_STORE_UNAVAILABLE");
      assert.doesNotMatch(JSON.stringify(error) + error.message, /hunter2/);
      return true;
    });
    await wrong.close();
    await assert.rejects(openStore({ url: "mysql://root:hunter2@x", logger }), (error: Error & { code: string }) => {
      assert.equal(error.code, "FL_STORE_URL_INVALID");
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });
});
