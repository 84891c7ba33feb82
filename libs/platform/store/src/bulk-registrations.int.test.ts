import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { CatalogueReplica, type Instance, instanceKey, type MeshNode } from "@fairlead/model";
import { startTestPostgres, type TestPostgres } from "@fairlead/testing-servers";
import { openStore, type Store } from "./index.ts";

const logger = createLogger({ service: "test", level: "silent" });
let postgres: TestPostgres;
let store: Store;

before(async () => {
  postgres = await startTestPostgres();
  store = await openStore({ url: postgres.url, logger });
  await store.migrate();
});
after(async () => {
  await store.close();
  await postgres.stop();
});

const node = (id: string): MeshNode => ({ id, app: "demo", address: "10.0.0.1", labels: { registry: "main" } });
const instance = (nodeId: string, name: string, weight = 100): Instance => ({
  nodeId,
  interface: name,
  protocol: "dubbo",
  port: 20_880,
  version: "1.0.0",
  group: "",
  methods: ["a"],
  labels: { version: "1.0.0" },
  weight,
  state: "ready",
});

/** The catalogue by the change log alone: what a compiler sees. */
async function followed(): Promise<CatalogueReplica> {
  const replica = new CatalogueReplica();
  const page = await store.changesSince(0, { limit: 100_000 });
  assert(!page.gap);
  for (const change of page.changes) replica.apply(change);
  return replica;
}

test("many instances are one revision; what is there already is none", async () => {
  const nodes = Array.from({ length: 100 }, (_, i) => node(`zk~main~${i}`));
  const instances = nodes.flatMap(({ id }) => ["org.x.A", "org.x.B"].map((name) => instance(id, name)));
  const first = await store.write(undefined, (tx) => tx.putMirrored(nodes, instances));
  assert.equal(first.changed, true);
  const again = await store.write(undefined, (tx) => tx.putMirrored(nodes, instances));
  assert.deepEqual([again.changed, again.revision], [false, first.revision]);
  const replica = await followed();
  assert.deepEqual([replica.nodes.size, replica.services.size, replica.instances.size], [100, 2, 200]);
  const found = await store.write(undefined, (tx) => tx.findInstancesOf("zk~main~"));
  assert.deepEqual(new Set(found.result.map(instanceKey)), new Set(replica.instances.keys()));
  assert.deepEqual(found.result[0], replica.instances.get(instanceKey(found.result[0]!)));
});

test("only what has changed is in the change log", async () => {
  const found = await store.write(undefined, (tx) => tx.findInstancesOf("zk~main~"));
  const changed = found.result.map((each, i) => (i === 0 ? { ...each, weight: 7 } : each));
  await store.write(undefined, (tx) => tx.putMirrored([node("zk~main~0")], changed));
  const page = await store.changesSince(found.revision);
  assert(!page.gap);
  assert.deepEqual(
    page.changes.map(({ kind, key }) => `${kind} ${key}`),
    [`instance ${instanceKey(found.result[0]!)}`],
  );
});

test("who writes nodes need not read their changes back, and is told of all others' and how far it has read", async () => {
  const asked = { exceptNodes: "zk~own~", limit: 3 };
  const put = (id: string, name: string) => store.write(undefined, (tx) => tx.putMirrored([node(id)], [instance(id, name)])); // prettier-ignore
  const { revision: start } = await put("zk~else~0", "own.A");
  await put("zk~own~0", "own.A");
  const { revision: middle } = await put("zk~else~1", "own.B");
  const { revision: end } = await put("zk~own~1", "own.A");
  const page = await store.changesSince(start, asked);
  assert(!page.gap);
  assert.deepEqual(
    page.changes.map(({ kind, key }) => `${kind} ${key}`),
    ["node zk~else~1", "service dubbo/own.B", `instance ${instanceKey(instance("zk~else~1", "own.B"))}`],
  );
  assert.equal(page.revision, middle);
  assert.deepEqual(await store.changesSince(middle, asked), { gap: false, changes: [], revision: end });
  await store.write(undefined, (tx) =>
    tx.removeMirrored([instance("zk~own~0", "own.A"), instance("zk~else~1", "own.B")]),
  );
  const removals = await store.changesSince(end, asked);
  assert(!removals.gap);
  assert.deepEqual(new Set(removals.changes.map(({ key }) => key)), new Set(["zk~else~1", instanceKey(instance("zk~else~1", "own.B"))])); // prettier-ignore
});

test("an assumed protocol gives way, and nodes go with their last instance; leases do not end them", async () => {
  await store.write(undefined, async (tx) => {
    await tx.putNode(node("caller"), 60_000);
    await tx.subscribeService("org.x.Assumed", "http");
  });
  await store.write(undefined, (tx) => tx.putMirrored([node("zk~other~1")], [instance("zk~other~1", "org.x.Assumed")]));
  assert.deepEqual((await store.write(undefined, (tx) => tx.expireNodes(100))).result, []);
  const replica = await followed();
  assert.deepEqual(
    [...replica.services.keys()].filter((key) => key.endsWith("Assumed")),
    ["dubbo/org.x.Assumed"],
  );
  await store.write(undefined, async (tx) => {
    await tx.removeMirrored(await tx.findInstancesOf("zk~other~"));
  });
  assert.equal((await followed()).nodes.has("zk~other~1"), false);
});

test("10,000 instances of 1,000 services are written in the time of a test", async () => {
  const nodes = Array.from({ length: 10 }, (_, i) => node(`zk~big~${i}`));
  const instances = nodes.flatMap(({ id }) =>
    Array.from({ length: 1000 }, (_, i) => instance(id, `org.big.Service${i}`)),
  );
  await store.write(undefined, (tx) => tx.putMirrored(nodes, instances));
  assert.equal((await store.write(undefined, (tx) => tx.findInstancesOf("zk~big~"))).result.length, 10_000);
});

test("an interface that differs in case only from one that is there is left out, with its instances", async () => {
  await store.write(undefined, (tx) => tx.publishService({ interface: "case.First", protocol: "http" }));
  const nodes = ["zk~case~0", "zk~case~1"].map(node);
  const put = (instances: readonly Instance[]) => store.write(undefined, (tx) => tx.putMirrored(nodes, instances));
  const { result } = await put([
    instance("zk~case~0", "case.Other"),
    instance("zk~case~1", "CASE.first"),
    instance("zk~case~0", "case.first"),
    instance("zk~case~1", "CASE.OTHER"),
  ]);
  assert.deepEqual(new Set(result), new Set(["CASE.first", "case.first", "CASE.OTHER"]));
  const found = await store.write(undefined, (tx) => tx.findInstancesOf("zk~case~"));
  assert.deepEqual(
    found.result.map((one) => [one.nodeId, one.interface]),
    [["zk~case~0", "case.Other"]],
  );
  const replica = await followed();
  assert.equal(replica.nodes.has("zk~case~1"), false);
  assert.deepEqual((await put([instance("zk~case~0", "case.First")])).result, []);
});
