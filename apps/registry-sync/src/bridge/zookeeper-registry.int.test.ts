import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type ExportedProvider,
  parseApplicationInstance,
  type Provider,
  providerUrl,
  RegistryPaths,
  type RuleDocument,
} from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { until } from "@fairlead/testing-basics";
import { startTestZooKeeper, type TestZooKeeper } from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";
import { afterLossMs } from "./testing/bridge-under-test.ts";
import { recordedRevision, startMetadataProvider } from "./testing/metadata-provider.ts";
import { ZooKeeperRegistry } from "./zookeeper-registry.ts";

const logger = createLogger({ service: "test", level: "silent" });
const paths = new RegistryPaths();
const nothing = Buffer.alloc(0);

/** Closed at the end also where a test has failed before it did so. */
const opened: { close(): Promise<void> }[] = [];

/** A Dubbo application's own client. @param digest then nobody else may read what it makes */
async function application(server: TestZooKeeper, digest?: string): Promise<ZooKeeperClient> {
  let connected = false;
  const client = new ZooKeeperClient(
    { servers: server.address, logger, sessionTimeoutMs: 10_000, digest },
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
function mirror(server: TestZooKeeper, recursiveWatches = true) {
  const sources = new Map<string, readonly Provider[]>();
  const rules = new Map<string, RuleDocument>();
  const state = { readings: 0, suspended: 0 };
  const registry = new ZooKeeperRegistry(
    { servers: server.address, sessionTimeoutMs: 10_000, recursiveWatches, logger },
    {
      onAll(all) {
        sources.clear();
        rules.clear();
        for (const [source, providers] of all.providers) sources.set(source, providers);
        for (const [source, rule] of all.rules) rules.set(source, rule);
        state.readings++;
      },
      onProviders(source, providers) {
        if (providers.length === 0) sources.delete(source);
        else sources.set(source, providers);
      },
      onRule(source, rule) {
        if (rule === undefined) rules.delete(source);
        else rules.set(source, rule);
      },
      onSuspended: () => state.suspended++,
    },
  );
  opened.push({ close: async () => await registry.stop() });
  registry.start();
  return { registry, sources, rules, state, ports: () => [...sources.values()].flat().map(({ port }) => port).toSorted((a, b) => a - b) }; // prettier-ignore
}

const mine: ExportedProvider = { interface: "org.x.Mine", protocol: "dubbo", address: "10.0.0.9", port: 9, version: "", group: "", methods: [], application: "m", weight: 100, startedMs: 1, origin: "mesh-a" }; // prettier-ignore
const minePath = paths.node("org.x.Mine", "providers", providerUrl(mine));

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
    const exported = { ...mine, interface: "org.x.Loop", origin: "mesh-b" };
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

  test("an instance that keeps its metadata itself is asked until it answers, and nobody waits for it", async () => {
    const provider = await startMetadataProvider(2);
    const app = await application(server);
    const params = JSON.stringify({ port: String(provider.port), protocol: "dubbo", version: "1.0.0" });
    const metadata = { "dubbo.endpoints": `[{"port":${provider.port},"protocol":"dubbo"}]`, "dubbo.metadata.revision": recordedRevision, "dubbo.metadata.storage-type": "local", "dubbo.metadata-service.url-params": params }; // prettier-ignore
    const payload = { "@class": "org.apache.dubbo.registry.zookeeper.ZookeeperInstance", metadata };
    const instance = { name: "shop", id: "x", address: "127.0.0.1", port: provider.port, payload };
    await app.ensure("/services/shop");
    await app.create("/services/shop/x", Buffer.from(JSON.stringify(instance)), { ephemeral: true });
    const { registry, state, ports, sources } = mirror(server);
    await until("all the rest was read", () => state.readings === 1);
    assert(!ports().includes(provider.port));
    await until("it has answered", () => ports().includes(provider.port));
    assert.equal(sources.get("/services/shop/x")?.[0]?.interface, "org.x.Greeter");
    // Another instance of that revision is known without a question.
    await app.create("/services/shop/y", Buffer.from(JSON.stringify({ ...instance, address: "127.0.0.2" })), { ephemeral: true }); // prettier-ignore
    await until("the second", () => ports().filter((port) => port === provider.port).length === 2);
    assert.equal(provider.asked.length, 1);
    await app.close();
    await until("they are gone", () => !ports().includes(provider.port));
    await Promise.all([registry.stop(), provider.stop()]);
  });

  test("ZooKeeper killed and back: changes of that time are found, and exports are there once", async () => {
    const { registry, state, ports } = mirror(server);
    const app = await application(server);
    await until("it was read", () => state.readings === 1);
    await register(app, "org.x.Kept", 1);
    registry.export([mine]);
    await until("it is told", () => ports().length === 1);
    await server.kill();
    await until("it is noticed", () => state.suspended === 1);
    assert.deepEqual(ports(), [1], "what was told stays");
    await server.restart();
    await until("it was read again", () => state.readings === 2, afterLossMs);
    await until("it is still there", () => ports().join() === "1");
    await until("the application is connected, too", () => app.state === "connected", afterLossMs);
    const exported = async () => (await app.children("/dubbo/org.x.Mine/providers")) ?? [];
    await until("it is exported", async () => (await exported()).length > 0);
    assert.deepEqual(await exported(), [minePath.slice(minePath.lastIndexOf("/") + 1)]);
    registry.export([]);
    await until("it is gone", async () => (await exported()).length === 0);
    await Promise.all([app.close(), registry.stop()]);
  });

  test("exports of an earlier session of the mesh are taken over, and end with this one", async () => {
    const other = await application(server);
    await other.ensure("/dubbo/org.x.Mine/providers");
    await other.create(minePath, nothing, { ephemeral: true });
    const { registry } = mirror(server);
    registry.export([mine]);
    await until("it is taken over", async () => (await other.stat(minePath))?.ephemeralOwner !== other.sessionId);
    await registry.stop();
    assert.equal(await other.stat(minePath), undefined);
    await other.close();
  });

  test("an export is an instance of an application, too: with metadata, and among those that serve the interface", async () => {
    const app = await application(server);
    await app.ensure("/dubbo/mapping/org.x.Mine");
    const { version } = (await app.stat("/dubbo/mapping/org.x.Mine"))!;
    await app.write("/dubbo/mapping/org.x.Mine", Buffer.from("other-app"), version);
    const { registry } = mirror(server);
    registry.export([mine, { ...mine, interface: "org.x.Mine2" }]);
    const path = "/services/m/10.0.0.9:9";
    const read = async (at: string) => (await app.read(at))?.data.toString();
    await until("it is mapped", async () => (await read("/dubbo/mapping/org.x.Mine")) === "other-app,m");
    await until("the other is mapped", async () => (await read("/dubbo/mapping/org.x.Mine2")) === "m");
    const revision = parseApplicationInstance((await read(path)) ?? "")?.revision;
    assert.match((await read(`/dubbo/metadata/m/${revision}`)) ?? "", /"org.x.Mine2?:dubbo".*"org.x.Mine2?:dubbo"/);
    registry.export([mine]);
    await until("the old is gone", async () => (await read(`/dubbo/metadata/m/${revision}`)) === undefined);
    assert.notEqual(parseApplicationInstance((await read(path)) ?? "")?.revision, revision);
    await registry.stop();
    assert.deepEqual(await app.children("/services/m"), []);
    assert.deepEqual(await app.children("/dubbo/metadata/m"), []);
    assert.equal(await read("/dubbo/mapping/org.x.Mine"), "other-app,m", "a list that others share stays");
    await app.close();
  });

  test("nodes that only their owner may read hide no others", async () => {
    const [owner, app] = [await application(server, "owner:secret"), await application(server)];
    await app.ensure("/dubbo/config/dubbo");
    await app.ensure("/services");
    const hidden = ["/dubbo/config/dubbo/hidden.properties", "/dubbo/org.x.Hidden", "/services/hidden"];
    for (const path of hidden) await owner.create(path, nothing, { ephemeral: false });
    await register(app, "org.x.Shown", 71);
    const { registry, state, ports } = mirror(server);
    await until("it was read", () => state.readings === 1);
    assert(ports().includes(71));
    await owner.write(hidden[0]!, Buffer.from("a"));
    await register(app, "org.x.Shown", 72);
    await until("changes are followed", () => ports().includes(72));
    for (const path of hidden) await owner.delete(path);
    await Promise.all([registry.stop(), owner.close(), app.close()]);
  });

  test("a node of somebody else's in the way of one export does not hold up the others", async () => {
    const app = await application(server);
    const inTheWay = { ...mine, interface: "org.x.Blocked", application: "blocked" };
    const blocked = paths.node("org.x.Blocked", "providers", providerUrl(inTheWay));
    await app.ensure(`${blocked}/child`);
    const { registry } = mirror(server);
    registry.export([inTheWay, { ...mine, interface: "org.x.Free", application: "free" }]);
    await until("the other is mapped", async () => (await app.read("/dubbo/mapping/org.x.Free")) !== undefined);
    assert((await app.children("/dubbo/org.x.Free/providers"))?.length === 1);
    await app.delete(`${blocked}/child`);
    await until("it is tried again", async () => ((await app.stat(blocked))?.ephemeralOwner ?? 0n) !== 0n);
    await Promise.all([registry.stop(), app.close()]);
  });

  for (const recursive of [true, false]) {
    const how = recursive ? "recursive watches" : "a server before 3.6";
    test(`rules are told as they come, change and go, with ${how}`, async () => {
      const app = await application(server);
      const name = `org.x.Ruled${recursive}`;
      await app.ensure("/dubbo/config/dubbo");
      await app.create(`/dubbo/config/dubbo/${name}::.condition-router`, Buffer.from("a: 1"), { ephemeral: false });
      const { registry, rules, state, ports } = mirror(server, recursive);
      await until("it was read", () => state.readings === 1);
      const text = () => [...rules.values()].find((rule) => rule.form === "item" && rule.key.startsWith(name));
      assert.deepEqual(text(), { form: "item", key: `${name}::.condition-router`, text: "a: 1" });
      await app.write(`/dubbo/config/dubbo/${name}::.condition-router`, Buffer.from("a: 2"));
      await until("the change", () => JSON.stringify(text()).includes("a: 2"));
      await app.delete(`/dubbo/config/dubbo/${name}::.condition-router`);
      await until("it is gone", () => text() === undefined);
      const rule = `override://0.0.0.0/${name}?category=configurators&weight=50`;
      await app.ensure(paths.folder(name, "configurators"));
      await app.create(paths.node(name, "configurators", rule), nothing, { ephemeral: false });
      await until("the URL", () => [...rules.values()].some((one) => one.form === "url" && one.url === rule));
      const sofar = ports().length;
      const path = await register(app, name, 77);
      await until("a provider", () => ports().length === sofar + 1);
      await app.delete(path);
      await until("it is gone, too", () => ports().length === sofar);
      await Promise.all([app.close(), registry.stop()]);
    });
  }

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
