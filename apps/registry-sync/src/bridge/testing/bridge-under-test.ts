import assert from "node:assert/strict";
import { decodeJavaUrl, originParameter, parseProvider, RegistryPaths } from "@fairlead/dubbo-registry";
import { createLogger } from "@fairlead/logging";
import { openStore, type Store } from "@fairlead/store";
import { until } from "@fairlead/testing-basics";
import {
  startTestPostgres,
  startTestZooKeeper,
  type TestPostgres,
  type TestZooKeeper,
} from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";
import { mirroredPrefix } from "../mirrored-instance.ts";
import { RegistryBridge } from "../registry-bridge.ts";

export const silent = createLogger({ service: "test", level: "silent" });
/** How long it may take until all is well after a server was away, or a session has expired. */
export const afterLossMs = 20_000;
const paths = new RegistryPaths();

/** Bridges between a real PostgreSQL and a real ZooKeeper, with an application outside the mesh. */
export class BridgeUnderTest {
  readonly postgres: TestPostgres;
  readonly zookeeper: TestZooKeeper;
  readonly store: Store;
  /** Of an application outside the mesh. */
  app: ZooKeeperClient;
  /** Stopped at the end also where a test has failed before it did so. */
  readonly #bridges: RegistryBridge[] = [];

  private constructor(postgres: TestPostgres, zookeeper: TestZooKeeper, store: Store, app: ZooKeeperClient) {
    this.postgres = postgres;
    this.zookeeper = zookeeper;
    this.store = store;
    this.app = app;
  }

  static async start(): Promise<BridgeUnderTest> {
    const [postgres, zookeeper] = await Promise.all([startTestPostgres(), startTestZooKeeper()]);
    const store = await openStore({ url: postgres.url, logger: silent });
    await store.migrate();
    return new BridgeUnderTest(postgres, zookeeper, store, await connect(zookeeper.address));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#bridges.map((each) => each.stop()));
    await this.app.close();
    await this.store.close();
    await Promise.all([this.postgres.stop(), this.zookeeper.stop()]);
  }

  /** The application begins anew, as after a ZooKeeper that has lost its data. */
  async reconnect(): Promise<void> {
    await this.app.close();
    this.app = await connect(this.zookeeper.address);
  }

  bridge(name: string, origin = "mesh-a", servers = this.zookeeper.address): RegistryBridge {
    const made = new RegistryBridge({
      registry: { name, servers, root: "dubbo", servicesRoot: "services", digest: undefined, exports: true },
      origin,
      store: this.store,
      removalDelayMs: 100,
      lossHoldMs: 60_000,
      sessionTimeoutMs: 2_000,
      logger: silent,
    });
    this.#bridges.push(made);
    return made;
  }

  /** @returns the path of its node */
  async register(name: string, port: number): Promise<string> {
    const path = paths.node(name, "providers", `dubbo://10.0.0.7:${port}/${name}?application=demo&interface=${name}`);
    await this.app.ensure(paths.folder(name, "providers"));
    await this.app.create(path, Buffer.alloc(0), { ephemeral: true });
    return path;
  }

  /** Ports that the mesh has of a registry. */
  async mirrored(registry: string): Promise<number[]> {
    const { result } = await this.store.write(undefined, (tx) => tx.findInstancesOf(mirroredPrefix(registry)));
    return result.map(({ port }) => port);
  }

  /** The mesh's own instances of an interface in ZooKeeper. @param origin only those of this mesh */
  async exported(name: string, origin?: string) {
    const children = (await this.app.children(paths.folder(name, "providers"))) ?? [];
    return children
      .flatMap((child) => parseProvider(decodeJavaUrl(child) ?? "", name) ?? [])
      .filter(({ parameters }) => origin === undefined || parameters.get(originParameter) === origin);
  }

  async publish(nodeId: string, name: string, port: number): Promise<void> {
    await this.store.write(undefined, async (tx) => {
      await tx.putNode({ id: nodeId, app: "mesh-app", address: "10.0.0.8", labels: {} }, 600_000);
      await tx.publishService({ interface: name, protocol: "dubbo" });
      await tx.putInstance({ nodeId, interface: name, protocol: "dubbo", port, version: "1.0.0", group: "blue", methods: ["a"], labels: {}, weight: 100, state: "ready" }); // prettier-ignore
    });
  }

  /** Instances of a registry that were removed since a revision. */
  async lostSince(revision: number, registry: string): Promise<readonly string[]> {
    const page = await this.store.changesSince(revision);
    assert(!page.gap);
    const removed = page.changes.filter(({ kind, value }) => kind === "instance" && value === undefined);
    return removed.map(({ key }) => key).filter((key) => key.startsWith(mirroredPrefix(registry)));
  }
}

async function connect(servers: string): Promise<ZooKeeperClient> {
  let connected = false;
  const events = { onConnected: () => (connected = true), onSuspended: () => undefined, onChange: () => undefined };
  const client = new ZooKeeperClient({ servers, logger: silent, sessionTimeoutMs: 10_000 }, events);
  client.start();
  await until("connected", () => connected);
  return client;
}
