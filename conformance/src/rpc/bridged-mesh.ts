import { InProcessBus } from "@fairlead/bus";
import { compile } from "@fairlead/compile";
import { typeUrls } from "@fairlead/envoy-api";
import { createLogger } from "@fairlead/logging";
import type { Catalogue, Instance, MeshNode } from "@fairlead/model";
import { ProxyRuntime } from "@fairlead/proxy-runtime";
import { createRegistrySync, registrySyncConfig } from "@fairlead/registry-sync";
import { openStore, type Store } from "@fairlead/store";
import { startTelemetry } from "@fairlead/telemetry";
import { until } from "@fairlead/testing-basics";
import { startTestPostgres, startTestZooKeeper } from "@fairlead/testing-servers";
import { ZooKeeperClient } from "@fairlead/zookeeper";

const silent = createLogger({ service: "conformance", level: process.env["FAIRLEAD_LOG_LEVEL"] ?? "silent" });
const deadlineMs = 30_000;
const leaseMs = 600_000;

/** registry-sync with a bridge to a real ZooKeeper, and sidecars that have what is compiled of it. */
export class BridgedMesh implements AsyncDisposable {
  readonly zookeeper: string;
  readonly #application: ZooKeeperClient | undefined;
  readonly #store: Store;
  readonly #proxies: ReadonlyMap<string, ProxyRuntime>;
  readonly #ends: readonly (() => Promise<void>)[];

  private constructor(parts: {
    zookeeper: string;
    application: ZooKeeperClient | undefined;
    store: Store;
    proxies: ReadonlyMap<string, ProxyRuntime>;
    ends: readonly (() => Promise<void>)[];
  }) {
    this.zookeeper = parts.zookeeper;
    this.#application = parts.application;
    this.#store = parts.store;
    this.#proxies = parts.proxies;
    this.#ends = parts.ends;
  }

  /**
   * @param nodes with proxies
   * @param instances of the mesh itself
   * @param other a registry that runs already, as the setting has it, instead of a ZooKeeper
   */
  static async start(nodes: readonly MeshNode[], instances: readonly Instance[], other?: string): Promise<BridgedMesh> {
    const [zookeeper, postgres] = await Promise.all([
      other === undefined ? startTestZooKeeper() : undefined,
      startTestPostgres(),
    ]);
    const store = await openStore({ url: postgres.url, logger: silent });
    const environment = {
      FAIRLEAD_HTTP_PORT: "0",
      FAIRLEAD_BRIDGES: `main=${other ?? `zookeeper://${zookeeper?.address}`}`,
      FAIRLEAD_BRIDGE_REMOVAL_DELAY: "100ms",
      FAIRLEAD_LEASE_TTL: "1h",
    };
    const telemetry = startTelemetry({ service: "registry-sync" });
    const resources = { bus: new InProcessBus(), store, logger: silent, telemetry };
    const registry = createRegistrySync(registrySyncConfig.load(environment), resources);
    await registry.start();
    const events = { onConnected: () => undefined, onSuspended: () => undefined, onChange: () => undefined };
    const application =
      zookeeper === undefined ? undefined : new ZooKeeperClient({ servers: zookeeper.address, logger: silent }, events);
    application?.start();
    const proxies = new Map(
      nodes.map(({ id }) => [id, new ProxyRuntime({ logger: silent, nodeId: id, drainTimeoutMs: 1000 })]),
    );
    const ends = [
      async () => await application?.close(),
      async () => void (await Promise.all([...proxies.values()].map((proxy) => proxy.close()))),
      async () => await registry.stop(),
      async () => await store.close(),
      async () => void (await Promise.all([zookeeper?.stop(), postgres.stop()])),
    ];
    const mesh = new BridgedMesh({ zookeeper: `zookeeper://${zookeeper?.address}`, application, store, proxies, ends });
    await until("the tables", () => store.revision().then(() => true, () => false), deadlineMs); // prettier-ignore
    await store.write(undefined, async (tx) => {
      for (const node of nodes) await tx.putNode(node, leaseMs);
      for (const instance of instances) {
        await tx.publishService({ interface: instance.interface, protocol: instance.protocol });
        await tx.putInstance(instance);
      }
    });
    await until("ZooKeeper", () => application === undefined || application.state === "connected", deadlineMs);
    return mesh;
  }

  /** A client of an application in the ZooKeeper. */
  get application(): ZooKeeperClient {
    if (this.#application === undefined) throw new Error("this mesh has no ZooKeeper");
    return this.#application;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end();
  }

  /** Once the catalogue is so, the proxies get what is compiled of it. */
  async apply(what: string, ready: (catalogue: Catalogue) => boolean): Promise<void> {
    await until(what, async () => ready(await this.#store.snapshot()), deadlineMs);
    const catalogue = await this.#store.snapshot();
    const mesh = compile(catalogue);
    if (mesh.rejected.length > 0)
      throw new Error(`rejected: ${mesh.rejected.map(({ message }) => message).join("; ")}`);
    for (const [id, proxy] of this.#proxies) {
      const view = mesh.nodes.get(id)!;
      const keys = new Set([...mesh.scopes.get(view.scopeId)!.keys, ...view.keys]);
      for (const typeUrl of [typeUrls.cluster, typeUrls.endpoint, typeUrls.listener, typeUrls.route]) {
        const resources = [...mesh.resources.values()].filter(
          (resource) => resource.typeUrl === typeUrl && keys.has(resource.key) && !resource.onDemand,
        );
        const refused = await proxy.apply(typeUrl, resources);
        if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
      }
    }
  }

  stat(node: string, name: string): number {
    return this.#proxies.get(node)?.stats().get(name) ?? 0;
  }

  /** As Dubbo admin writes a rule. */
  async writeRule(key: string, text: string): Promise<void> {
    const path = `/dubbo/config/dubbo/${key}`;
    await this.application.ensure(path);
    await this.application.write(path, Buffer.from(text));
  }
}
