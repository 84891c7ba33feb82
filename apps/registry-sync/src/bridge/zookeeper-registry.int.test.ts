import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { encodeJavaUrl, type Provider, providerUrl, RegistryPaths } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { startTestZooKeeper, type TestZooKeeper } from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";
import { ZooKeeperRegistry } from "./zookeeper-registry.ts";

const logger = createLogger({ service: "test", level: "silent" });
const deadlineMs = 20_000;
const paths = new RegistryPaths();
const nothing = Buffer.alloc(0);

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not within ${deadlineMs} ms: ${what}`);
    await pause(5);
  }
}

/** Closed at the end also where a test has failed before it did so. */
const opened: { close(): Promise<void> }[] = [];

/** A Dubbo application's own client. */
async function application(server: TestZooKeeper): Promise<ZooKeeperClient> {
  let connected = false;
  const client = new ZooKeeperClient(
    { servers: server.address, logger, sessionTimeoutMs: 10_000 },
    { onConnected: () => (connected = true), onSuspended: () => undefined, onChange: () => undefined },
  );
  opened.push(client);
  client.start();
  await until("an application is connected", () => connected);
  return client;
}

const url = (name: string, port: number) =>
  `dubbo://10.0.0.1:${port}/${name}?application=demo&interface=${name}&version=1.0.0`;

async function register(client: ZooKeeperClient, name: string, port: number): Promise<string> {
  const path = paths.node(name, "providers", url(name, port));
  await client.ensure(paths.folder(name, "providers"));
  await client.create(path, nothing, { ephemeral: true });
  return path;
}

/** The bridge's end, with all that it was told in one map. */
function mirror(server: TestZooKeeper) {
  const sources = new Map<string, readonly Provider[]>();
  const state = { readings: 0, suspended: 0 };
  const registry = new ZooKeeperRegistry(
    { servers: server.address, sessionTimeoutMs: 10_000, origin: "mesh-a", logger },
    {
      onAll(all) {
        sources.clear();
        for (const [source, providers] of all) sources.set(source, providers);
        state.readings++;
      },
      onChange(source, providers) {
        if (providers.length === 0) sources.delete(source);
        else sources.set(source, providers);
      },
      onSuspended: () => state.suspended++,
    },
  );
  opened.push({ close: async () => await registry.stop() });
  registry.start();
  return { registry, sources, state, ports: () => [...sources.values()].flat().map(({ port }) => port).toSorted((a, b) => a - b) }; // prettier-ignore
}

describe("Dubbo's registry in ZooKeeper", () => {
  let server: TestZooKeeper;
  before(async () => (server = await startTestZooKeeper()));
  after(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await server.stop();
  });

  test("an empty ZooKeeper is a registry without providers; what comes and goes is told", async () => {
    const { registry, state, ports, sources } = mirror(server);
    await until("it was read", () => state.readings === 1);
    assert.deepEqual(ports(), []);
    const app = await application(server);
    const first = await register(app, "org.x.Greeter", 1);
    await register(app, "org.x.Greeter", 2);
    await until("both are there", () => ports().length === 2);
    assert.equal([...sources.values()].flat()[0]?.version, "1.0.0");
    await app.delete(first);
    await until("one is gone", () => ports().join() === "2");
    await app.close();
    await until("the other went with its session", () => ports().length === 0);
    await registry.stop();
  });

  test("what a mesh has written is not read back, whichever mesh it was", async () => {
    const { registry, state, ports } = mirror(server);
    const app = await application(server);
    const exported = { interface: "org.x.Loop", protocol: "dubbo", address: "10.0.0.9", port: 9, version: "", group: "", methods: [], application: "m", weight: 100, startedMs: 1, origin: "mesh-b" } as const; // prettier-ignore
    await until("it was read", () => state.readings === 1);
    await app.ensure(paths.folder("org.x.Loop", "providers"));
    await app.create(paths.node("org.x.Loop", "providers", providerUrl(exported)), nothing, { ephemeral: true });
    await register(app, "org.x.Loop", 10);
    await until("the application's own is there", () => ports().length === 1);
    assert.deepEqual(ports(), [10]);
    await Promise.all([app.close(), registry.stop()]);
  });

  test("an application-level registration with its metadata in ZooKeeper", async () => {
    const { registry, sources, state, ports } = mirror(server);
    const app = await application(server);
    await until("it was read", () => state.readings === 1);
    const metadata = { app: "demo", revision: "r1", services: { "org.x.App:1.0.0:dubbo": { name: "org.x.App", version: "1.0.0", protocol: "dubbo", port: 20880, params: { methods: "a,b" } } } }; // prettier-ignore
    await app.ensure("/dubbo/metadata/demo");
    await app.create("/dubbo/metadata/demo/r1", Buffer.from(JSON.stringify(metadata)), { ephemeral: false });
    const payload = { "@class": "org.apache.dubbo.registry.zookeeper.ZookeeperInstance", metadata: { "dubbo.endpoints": '[{"port":20881,"protocol":"dubbo"}]', "dubbo.metadata.revision": "r1", "dubbo.metadata.storage-type": "remote" } }; // prettier-ignore
    const instance = { name: "demo", id: "10.0.0.1:20881", address: "10.0.0.1", port: 20881, payload };
    await app.ensure("/services/demo");
    await app.create("/services/demo/10.0.0.1:20881", Buffer.from(JSON.stringify(instance)), { ephemeral: true });
    await until("its interface is there", () => ports().includes(20881));
    assert.deepEqual([...sources.values()].flat()[0]?.methods, ["a", "b"]);
    await app.close();
    await until("it is gone", () => ports().length === 0);
    await registry.stop();
  });

  test("ZooKeeper killed and back: changes of that time are found, and exports are there once", async () => {
    const { registry, state, ports } = mirror(server);
    const app = await application(server);
    await until("it was read", () => state.readings === 1);
    await register(app, "org.x.Kept", 1);
    registry.export([{ path: "/dubbo/org.x.Mine/providers/x", data: "" }]);
    await until("it is told", () => ports().length === 1);
    await server.kill();
    await until("it is noticed", () => state.suspended === 1);
    assert.deepEqual(ports(), [1], "what was told stays");
    await server.restart();
    await until("it was read again", () => state.readings === 2);
    await until("it is still there", () => ports().join() === "1");
    await until("the application is connected, too", () => app.state === "connected");
    assert.deepEqual(await app.children("/dubbo/org.x.Mine/providers"), ["x"]);
    registry.export([]);
    const end = performance.now() + deadlineMs;
    while ((await app.children("/dubbo/org.x.Mine/providers"))?.length !== 0) assert(performance.now() < end);
    await Promise.all([app.close(), registry.stop()]);
  });

  test("exports of an earlier session of the mesh are taken over, and end with this one", async () => {
    const path = `/dubbo/org.x.Mine/providers/${encodeJavaUrl("dubbo://a:1/x")}`;
    const other = await application(server);
    await other.ensure("/dubbo/org.x.Mine/providers");
    await other.create(path, nothing, { ephemeral: true });
    const { registry } = mirror(server);
    registry.export([{ path, data: "mine" }]);
    const end = performance.now() + deadlineMs;
    while ((await other.read(path))?.data.toString() !== "mine") assert(performance.now() < end);
    await registry.stop();
    assert.equal(await other.stat(path), undefined);
    await other.close();
  });

  test("1,000 interfaces with 10 providers each are read within the time of a test", async () => {
    const app = await application(server);
    const names = Array.from({ length: 1_000 }, (_, i) => `org.example.Service${i}`);
    await app.ensure("/dubbo");
    await Promise.all(
      names.map(async (name) => {
        await app.ensure(paths.folder(name, "providers"));
        await Promise.all(Array.from({ length: 10 }, (_, i) => register(app, name, 20_000 + i)));
      }),
    );
    const { registry, sources, state } = mirror(server);
    await until("it was read", () => state.readings === 1);
    assert.equal(sources.size, 10_000);
    await Promise.all([app.close(), registry.stop()]);
  });
});
