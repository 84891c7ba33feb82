import assert from "node:assert/strict";
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
import { mirroredPrefix } from "./mirrored-instance.ts";
import { RegistryBridge } from "./registry-bridge.ts";

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

  const bridge = (name: string, origin = "mesh-a") => {
    const made = new RegistryBridge({
      registry: {
        name,
        servers: zookeeper.address,
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

  test("200 services with 10 providers each are in the mesh", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `org.many.Service${i}`);
    await app.ensure("/dubbo");
    await Promise.all(names.map((name) => app.ensure(paths.folder(name, "providers"))));
    await Promise.all(names.flatMap((name) => Array.from({ length: 10 }, (_, i) => register(name, 30_000 + i))));
    const one = bridge("many");
    one.start();
    await until("all are mirrored", async () => (await mirrored("many")).length === 2_000);
    await one.stop();
  });
});
