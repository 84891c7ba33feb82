import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { decodeJavaUrl, originParameter, parseProvider, RegistryPaths } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { openStore, type Store } from "@fairlead/store";
import {
  startTestPostgres,
  startTestZooKeeper,
  type TestPostgres,
  type TestZooKeeper,
} from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";
import { startTcpRelay } from "@fairlead/zookeeper/testing";
import { mirroredPrefix, mirroredRegistry } from "./mirrored-instance.ts";
import { RegistryBridge } from "./registry-bridge.ts";
import { RetiredRegistries } from "./retired-registries.ts";

const logger = createLogger({ service: "test", level: "silent" });
const deadlineMs = 20_000;
const paths = new RegistryPaths();
const nothing = Buffer.alloc(0);

describe("a bridge to Dubbo's registry", () => {
  let postgres: TestPostgres;
  let zookeeper: TestZooKeeper;
  let store: Store;
  let app: ZooKeeperClient;
  /** Stopped at the end also where a test has failed before it did so. */
  const bridges: RegistryBridge[] = [];
  before(async () => {
    [postgres, zookeeper] = await Promise.all([startTestPostgres(), startTestZooKeeper()]);
    store = await openStore({ url: postgres.url, logger });
    await store.migrate();
    app = await connect();
  });
  after(async () => {
    await Promise.all(bridges.map((each) => each.stop()));
    await app.close();
    await store.close();
    await Promise.all([postgres.stop(), zookeeper.stop()]);
  });

  async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = performance.now() + deadlineMs; !(await condition()); await pause(10)) {
      assert(performance.now() < end, `not within ${deadlineMs} ms: ${what}`);
    }
  }

  async function connect(): Promise<ZooKeeperClient> {
    let connected = false;
    const events = { onConnected: () => (connected = true), onSuspended: () => undefined, onChange: () => undefined };
    const client = new ZooKeeperClient({ servers: zookeeper.address, logger, sessionTimeoutMs: 10_000 }, events);
    client.start();
    await until("connected", () => connected);
    return client;
  }

  const bridge = (name: string, origin = "mesh-a", servers = zookeeper.address) => {
    const made = new RegistryBridge({
      registry: {
        name,
        servers,
        root: "dubbo",
        servicesRoot: "services",
        digest: undefined,
        exports: true,
      },
      origin,
      store,
      removalDelayMs: 100,
      lossHoldMs: 60_000,
      sessionTimeoutMs: 2_000,
      logger,
    });
    bridges.push(made);
    return made;
  };

  async function register(name: string, port: number): Promise<string> {
    const path = paths.node(name, "providers", `dubbo://10.0.0.7:${port}/${name}?application=demo&interface=${name}`);
    await app.ensure(paths.folder(name, "providers"));
    await app.create(path, nothing, { ephemeral: true });
    return path;
  }

  const mirrored = async (name: string) =>
    (await store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix(name)))).result.map(({ port }) => port);

  /** The mesh's own instances of an interface in ZooKeeper. */
  async function exported(name: string) {
    const children = (await app.children(paths.folder(name, "providers"))) ?? [];
    return children.flatMap((child) => parseProvider(decodeJavaUrl(child) ?? "", name) ?? []);
  }

  async function publish(nodeId: string, name: string, port: number): Promise<void> {
    await store.write(undefined, async (tx) => {
      await tx.putNode({ id: nodeId, app: "mesh-app", address: "10.0.0.8", labels: {} }, 600_000);
      await tx.publishService({ interface: name, protocol: "dubbo" });
      await tx.putInstance({ nodeId, interface: name, protocol: "dubbo", port, version: "1.0.0", group: "blue", methods: ["a"], labels: {}, weight: 100, state: "ready" }); // prettier-ignore
    });
  }

  test("providers outside are instances in the mesh, instances of the mesh are providers outside, and neither comes back", async () => {
    const path = await register("org.x.Outside", 1);
    await publish("n1", "org.x.Inside", 2);
    const one = bridge("both");
    one.start();
    await until("the outside is in the mesh", async () => (await mirrored("both")).includes(1));
    await until("the mesh is outside", async () => (await exported("org.x.Inside")).length === 1);
    const [provider] = await exported("org.x.Inside");
    assert.deepEqual(
      [provider?.address, provider?.port, provider?.version, provider?.group, provider?.methods, provider?.application],
      ["10.0.0.8", 2, "1.0.0", "blue", ["a"], "mesh-app"],
    );
    // A second mesh on the same ZooKeeper: neither sees what the other has exported.
    const other = bridge("other", "mesh-b");
    other.start();
    await until("the second mesh has read", async () => (await mirrored("other")).includes(1));
    await app.delete(path);
    await until(
      "it is gone from both",
      async () => (await mirrored("both")).length + (await mirrored("other")).length === 0,
    );
    assert.deepEqual(
      new Set((await exported("org.x.Inside")).map(({ parameters }) => parameters.get(originParameter))),
      new Set(["mesh-a", "mesh-b"]),
      "both meshes have the instance of this one database",
    );
    await Promise.all([one.stop(), other.stop()]);
    assert.equal((await exported("org.x.Inside")).length, 0, "an export ends with its bridge");
  });

  test("one of two replicas owns a registry; the other takes over, and no instance is away meanwhile", async () => {
    await register("org.x.Kept", 10);
    const [first, second] = [bridge("ha"), bridge("ha")];
    first.start();
    await until("the first owns it", () => first.status.owner);
    await until("it is mirrored", async () => (await mirrored("ha")).includes(10));
    second.start();
    await register("org.x.Kept", 11);
    await until("a change comes through", async () => (await mirrored("ha")).includes(11));
    assert.equal(second.status.owner, false);
    const { revision } = await store.snapshot();
    await first.stop();
    await until("the second has taken over", () => second.status.owner && second.status.connected);
    await register("org.x.Kept", 12);
    await until("changes come through it", async () => (await mirrored("ha")).includes(12));
    const page = await store.changesSince(revision);
    assert(!page.gap);
    assert.deepEqual(
      page.changes.filter(({ kind, value }) => kind === "instance" && value === undefined),
      [],
    );
    await second.stop();
  });

  test("ZooKeeper wiped: what is in the mesh stays, and what the mesh exports is there again", async () => {
    await publish("n2", "org.x.Again", 20);
    await register("org.x.Survivor", 21);
    const one = bridge("wiped");
    one.start();
    await until("mirrored", async () => (await mirrored("wiped")).includes(21));
    await until("exported", async () => (await exported("org.x.Again")).length === 1);
    await zookeeper.restart({ wipe: true });
    await app.close();
    app = await connect();
    await until("exported again", async () => (await exported("org.x.Again")).length === 1);
    assert((await mirrored("wiped")).includes(21));
    await one.stop();
  });

  test("a network that carries nothing, and a session that expires: nobody alive is lost, who is gone goes after the delay", async () => {
    await publish("n3", "org.x.Cut", 30);
    const stays = await register("org.x.CutOutside", 31);
    const goes = await register("org.x.CutOutside", 32);
    const relay = await startTcpRelay(zookeeper.port);
    const one = bridge("cut", "mesh-cut", relay.address);
    one.start();
    const ports = async () => (await mirrored("cut")).filter((port) => port === 31 || port === 32).toSorted();
    await until("mirrored", async () => (await ports()).join() === "31,32");
    const own = async () => (await exported("org.x.Cut")).filter(({ parameters }) => parameters.get(originParameter) === "mesh-cut").length; // prettier-ignore
    await until("exported", async () => (await own()) === 1);
    relay.cut();
    await app.delete(goes);
    await until("it is noticed", () => !one.status.connected);
    await until("the session has expired, and the export with it", async () => (await own()) === 0);
    assert.deepEqual(await ports(), [31, 32], "what was known stays while nobody can look");
    relay.restore();
    relay.reset();
    await until("a new session exports again", async () => (await own()) === 1);
    await until("who went meanwhile is gone", async () => (await ports()).join() === "31");
    await app.delete(stays);
    await until("watches go on", async () => (await ports()).length === 0);
    await one.stop();
    await relay.stop();
  });

  test("ZooKeeper killed and started again: nothing is lost, changes come through afterwards", async () => {
    const one = bridge("killed");
    await register("org.x.Killed", 40);
    one.start();
    await until("mirrored", async () => (await mirrored("killed")).includes(40));
    const { revision } = await store.snapshot();
    await zookeeper.kill();
    await until("it is noticed", () => !one.status.connected);
    await zookeeper.restart();
    await until("connected again", () => one.status.connected);
    await until("the application, too", () => app.state === "connected");
    await register("org.x.Killed", 41);
    await until("a change", async () => (await mirrored("killed")).includes(41));
    const page = await store.changesSince(revision);
    assert(!page.gap);
    const lost = page.changes.filter(({ kind, key, value }) => kind === "instance" && key.startsWith("registry~killed~") && value === undefined); // prettier-ignore
    assert.deepEqual(lost, []);
    await one.stop();
  });

  test("an owner whose process is killed: its session ends, another one takes over, and exports what it had", async () => {
    await publish("n5", "org.x.Taken", 50);
    await register("org.x.TakenOutside", 51);
    const script = join(import.meta.dirname, "testing/bridge-process.ts");
    const child = spawn(process.execPath, [script, postgres.url, zookeeper.address, "taken"], { stdio: "inherit" });
    const own = async () => (await exported("org.x.Taken")).filter(({ parameters }) => parameters.get(originParameter) === "mesh-taken").length; // prettier-ignore
    await until("it exports", async () => (await own()) === 1);
    await until("it mirrors", async () => (await mirrored("taken")).includes(51));
    const second = bridge("taken", "mesh-taken");
    second.start();
    const { revision } = await store.snapshot();
    child.kill("SIGKILL");
    await until("the second owns it", () => second.status.owner && second.status.connected);
    await register("org.x.TakenOutside", 52);
    await until("changes come through it", async () => (await mirrored("taken")).includes(52));
    // Longer than the session of the one that was killed: its nodes are gone, those of the second are not.
    await pause(2_500);
    await until("exported", async () => (await own()) === 1);
    const page = await store.changesSince(revision);
    assert(!page.gap);
    const lost = page.changes.filter(({ kind, key, value }) => kind === "instance" && key.startsWith("registry~taken~") && value === undefined); // prettier-ignore
    assert.deepEqual(lost, []);
    await second.stop();
  });

  test("two ZooKeepers at once: each has its own providers in the mesh, and the loss of one touches nothing of the other", async () => {
    const other = await startTestZooKeeper();
    try {
      await register("org.x.Both", 60);
      const [one, two] = [bridge("first"), bridge("second", "mesh-a", other.address)];
      one.start();
      two.start();
      await until("the first is read", async () => (await mirrored("first")).includes(60));
      await until("the second is connected", () => two.status.connected);
      assert(!(await mirrored("second")).includes(60));
      await other.kill();
      await until("its loss is noticed", () => !two.status.connected);
      await register("org.x.Both", 61);
      await until("the first goes on", async () => (await mirrored("first")).includes(61));
      await Promise.all([one.stop(), two.stop()]);
    } finally {
      await other.stop();
    }
  });

  test("a bridge that is taken away: after the delay its nodes and policies are removed, unless another replica has it", async () => {
    const path = await register("org.x.Retired", 70);
    await app.ensure("/dubbo/config/dubbo");
    const rule = "/dubbo/config/dubbo/org.x.Retired::.configurators";
    const text = "{scope: service, key: org.x.Retired, configs: [{side: consumer, parameters: {timeout: 900}}]}";
    await app.create(rule, Buffer.from(text), { ephemeral: false });
    const one = bridge("retired");
    one.start();
    const policies = async () => [...(await store.snapshot()).policies.values()].filter(({ namespace }) => namespace === "~retired"); // prettier-ignore
    await until("mirrored", async () => (await mirrored("retired")).includes(70));
    await until("its rule is a policy", async () => (await policies()).some((policy) => policy.text.includes("900ms")));
    const others = [...new Set([...(await store.snapshot()).nodes.keys()].flatMap((id) => mirroredRegistry(id) ?? []))];
    const bridged = others.filter((name) => name !== "retired");
    const cleaner = new RetiredRegistries({ bridged, store, delayMs: 300, logger });
    cleaner.start();
    await pause(1_600);
    assert((await mirrored("retired")).includes(70), "another replica has it");
    await one.stop();
    await until("its instances are gone", async () => (await mirrored("retired")).length === 0);
    await until("its policies, too", async () => (await policies()).length === 0);
    assert.deepEqual(
      [...(await store.snapshot()).nodes.keys()].filter((id) => mirroredRegistry(id) === "retired"),
      [],
    );
    await cleaner.stop();
    await Promise.all([app.delete(rule), app.delete(path)]);
  });

  test("200 services with 10 providers each are in the mesh", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `org.many.Service${i}`);
    await app.ensure("/dubbo");
    await Promise.all(names.map((name) => app.ensure(paths.folder(name, "providers"))));
    await Promise.all(names.flatMap((name) => Array.from({ length: 10 }, (_, i) => register(name, 30_000 + i))));
    const one = bridge("many");
    one.start();
    await until(
      "all are mirrored",
      async () => (await mirrored("many")).filter((port) => port >= 30_000).length === 2_000,
    );
    await one.stop();
  });
});
