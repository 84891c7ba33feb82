import { type ExportedProvider, RegistryPaths } from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { type WatchEventType, ZooKeeperClient, type ZooKeeperOptions } from "@fairlead/zookeeper";
import { exportedTree } from "./exported-nodes.ts";
import type { ForeignRegistry, ForeignRegistryEvents } from "./foreign-registry.ts";
import { ZooKeeperApplications } from "./zookeeper-applications.ts";
import { ZooKeeperExport } from "./zookeeper-export.ts";
import { type ManyNodeReads, visibleNodes } from "./visible-nodes.ts";
import { providersAt, readInterfaces, readItem, urlRuleAt } from "./zookeeper-interfaces.ts";

export interface ZooKeeperRegistryOptions extends Pick<
  ZooKeeperOptions,
  "servers" | "sessionTimeoutMs" | "digest" | "tls" | "recursiveWatches"
> {
  /** What its Dubbo applications have as `group` of their registry. @default dubbo */
  readonly root?: string;
  /** Where applications register. @default services */
  readonly servicesRoot?: string;
  /** What it may say something about, with `*` for anything. @default everything */
  readonly interfaces?: readonly string[] | undefined;
  readonly logger: Logger;
}

const retryMs = 1_000;

/**
 * Dubbo's registry in one ZooKeeper: interfaces, applications and rules. Two recursive watches tell of every change with its path, so that a
 * change costs what it is; after a lost connection everything is read again, as changes of that time are not told.
 */
export class ZooKeeperRegistry implements ForeignRegistry {
  readonly #client: ZooKeeperClient;
  readonly #nodes: ManyNodeReads;
  readonly #paths: RegistryPaths;
  readonly #events: ForeignRegistryEvents;
  readonly #logger: Logger;
  readonly #export: ZooKeeperExport;
  readonly #applications: ZooKeeperApplications;
  /** Counts connections: what an older one began to read is dropped. */
  #connection = 0;
  /** Paths that changed while everything was read: what was read of them may be older than the change. */
  #changedMeanwhile: Map<string, WatchEventType> | undefined;
  readonly #retries = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** @throws FairleadError FL_ZOOKEEPER_ADDRESS_INVALID */
  constructor(options: ZooKeeperRegistryOptions, events: ForeignRegistryEvents) {
    this.#events = events;
    this.#logger = options.logger;
    this.#paths = new RegistryPaths(options.root, options.servicesRoot);
    this.#client = new ZooKeeperClient(options, {
      onConnected: (newSession) => this.#onConnected(newSession),
      onSuspended: () => {
        this.#connection++;
        events.onSuspended();
      },
      onChange: (type, path) => this.#onChange(type, path),
    });
    this.#nodes = visibleNodes(this.#client, [this.#paths.root, this.#paths.servicesRoot], options.logger);
    this.#export = new ZooKeeperExport(this.#client, options.logger);
    this.#applications = new ZooKeeperApplications({
      client: this.#nodes,
      paths: this.#paths,
      interfaces: options.interfaces,
      onProviders: (source, providers) => {
        // While everything is read, its result comes first.
        if (this.#changedMeanwhile === undefined) events.onProviders(source, providers);
        else this.#changedMeanwhile.set(source, "data");
      },
      logger: options.logger,
    });
  }

  get connected(): boolean {
    return this.#client.state === "connected";
  }

  get leftOut(): number {
    return this.#applications.leftOut;
  }

  get asked(): number {
    return this.#applications.asked;
  }

  start(): void {
    this.#client.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#connection++;
    for (const retry of this.#retries) clearTimeout(retry);
    this.#export.stop();
    this.#applications.stop();
    await this.#client.close();
  }

  export(providers: readonly ExportedProvider[]): void {
    this.#export.set(exportedTree(providers, this.#paths));
  }

  #onConnected(newSession: boolean): void {
    const connection = ++this.#connection;
    this.#export.onConnected(newSession);
    this.#guard(connection, () => this.#readAll(connection));
  }

  async #readAll(connection: number): Promise<void> {
    const { root, servicesRoot } = this.#paths;
    const changed = (this.#changedMeanwhile = new Map<string, WatchEventType>());
    // First the watches, then the reading.
    const isItem = (path: string) => this.#paths.configKeyOf(path) !== undefined;
    await Promise.all([
      this.#client.watch(root, { levels: 3, data: isItem }),
      this.#client.watch(servicesRoot, { levels: 2, data: (path) => this.#isInstance(path) }),
    ]);
    const [{ providers, rules }, applications] = await Promise.all([
      readInterfaces(this.#nodes, this.#paths),
      this.#applications.readAll(),
    ]);
    if (connection !== this.#connection) return;
    this.#events.onAll({
      providers: new Map([...providers, ...applications.providers]),
      rules,
      asked: applications.asked,
    });
    this.#changedMeanwhile = undefined;
    for (const [path, type] of changed) this.#onChange(type, path);
  }

  /** Does it again after a while when it fails though the connection stays. */
  #guard(connection: number, work: () => Promise<void>): void {
    work().catch((caught: unknown) => {
      if (this.#stopped || connection !== this.#connection) return;
      this.#logger.warn({ err: FairleadError.from(caught) }, "a registry could not be read; it is tried again");
      const retry = setTimeout(() => {
        this.#retries.delete(retry);
        if (connection === this.#connection) this.#guard(connection, work);
      }, retryMs);
      this.#retries.add(retry);
    });
  }

  #onChange(type: WatchEventType, path: string): void {
    // Nodes of our own go while it stops.
    if (this.#stopped || type === "children") return;
    if (this.#changedMeanwhile !== undefined) {
      // The last one counts.
      this.#changedMeanwhile.delete(path);
      this.#changedMeanwhile.set(path, type);
    } else if (path.startsWith(`${this.#paths.servicesRoot}/`)) {
      this.#onInstanceChange(type, path);
    } else if (this.#paths.configKeyOf(path) !== undefined) {
      this.#onItemChange(path);
    } else if (type !== "data") {
      this.#onInterfaceChange(type, path);
    }
  }

  #onInterfaceChange(type: WatchEventType, path: string): void {
    const place = this.#paths.placeOf(path);
    if (place?.url === undefined) return;
    const gone = type === "deleted";
    if (place.category === "providers") this.#events.onProviders(path, gone ? [] : providersAt(place));
    else if (place.category !== "consumers") this.#events.onRule(path, gone ? undefined : urlRuleAt(place));
  }

  #onItemChange(path: string): void {
    const connection = this.#connection;
    this.#guard(connection, async () => {
      const item = await readItem(this.#nodes, path, this.#paths.configKeyOf(path)!);
      if (connection === this.#connection) this.#events.onRule(path, item);
    });
  }

  #isInstance(path: string): boolean {
    const { servicesRoot } = this.#paths;
    return path.startsWith(`${servicesRoot}/`) && path.slice(servicesRoot.length + 1).split("/").length === 2;
  }

  #onInstanceChange(type: WatchEventType, path: string): void {
    if (!this.#isInstance(path)) return;
    if (type === "deleted") {
      this.#applications.forget(path);
      this.#events.onProviders(path, []);
      return;
    }
    const connection = this.#connection;
    this.#guard(connection, async () => {
      const providers = await this.#applications.read(path);
      if (connection === this.#connection && providers !== undefined) this.#events.onProviders(path, providers);
    });
  }
}
