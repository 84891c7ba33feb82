import {
  type ApplicationInstance,
  originParameter,
  parseApplicationInstance,
  parseApplicationMetadata,
  parseProvider,
  type Provider,
  providersOf,
  RegistryPaths,
} from "@fairlead/dubbo-registry";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { type WatchEventType, ZooKeeperClient, type ZooKeeperOptions } from "@fairlead/zookeeper";
import { ExportedNodes } from "./exported-nodes.ts";
import type { ExportedNode, ForeignRegistry, ForeignRegistryEvents } from "./foreign-registry.ts";

export interface ZooKeeperRegistryOptions extends Pick<
  ZooKeeperOptions,
  "servers" | "sessionTimeoutMs" | "digest" | "tls"
> {
  /** What its Dubbo applications have as `group` of their registry. @default dubbo */
  readonly root?: string;
  /** Where applications register. @default services */
  readonly servicesRoot?: string;
  /** The mesh's own mark: what carries a mark was written by a mesh, and is not read. */
  readonly origin: string;
  readonly logger: Logger;
}

const retryMs = 1_000;

/**
 * Dubbo's registry in one ZooKeeper: interfaces and applications. Two recursive watches tell of every change with its path, so that a
 * change costs what it is; after a lost connection everything is read again, as changes of that time are not told.
 */
export class ZooKeeperRegistry implements ForeignRegistry {
  readonly #client: ZooKeeperClient;
  readonly #paths: RegistryPaths;
  readonly #events: ForeignRegistryEvents;
  readonly #logger: Logger;
  readonly #exported: ExportedNodes;
  /** Counts connections: what an older one began to read is dropped. */
  #connection = 0;
  #retry: NodeJS.Timeout | undefined;

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
    this.#exported = new ExportedNodes(this.#client, options.logger);
  }

  get connected(): boolean {
    return this.#client.state === "connected";
  }

  start(): void {
    this.#client.start();
  }

  async stop(): Promise<void> {
    this.#connection++;
    clearTimeout(this.#retry);
    this.#exported.stop();
    await this.#client.close();
  }

  export(nodes: readonly ExportedNode[]): void {
    this.#exported.set(nodes);
  }

  #onConnected(newSession: boolean): void {
    const connection = ++this.#connection;
    this.#exported.onConnected(newSession);
    this.#guard(connection, async () => {
      // First the watches, then the reading: what changes in between is told, in the order of the answers.
      await this.#client.watch(this.#paths.root);
      await this.#client.watch(this.#paths.servicesRoot);
      const [interfaces, applications] = await Promise.all([this.#readInterfaces(), this.#readApplications()]);
      if (connection === this.#connection) this.#events.onAll(new Map([...interfaces, ...applications]));
    });
  }

  /** Does it again after a while when it fails though the connection stays. */
  #guard(connection: number, work: () => Promise<void>): void {
    work().catch((caught: unknown) => {
      if (connection !== this.#connection) return;
      this.#logger.warn({ err: FairleadError.from(caught) }, "a registry could not be read; it is tried again");
      this.#retry = setTimeout(() => {
        if (connection === this.#connection) this.#guard(connection, work);
      }, retryMs);
    });
  }

  // Interfaces: all of a provider is in its node's name

  async #readInterfaces(): Promise<Map<string, readonly Provider[]>> {
    const found = new Map<string, readonly Provider[]>();
    const children = (await this.#client.children(this.#paths.root)) ?? [];
    const read = async (child: string) => {
      const name = this.#paths.interfaceOf(child);
      if (name === undefined) return;
      const folder = `${this.#paths.root}/${child}/providers`;
      for (const node of (await this.#client.children(folder)) ?? []) {
        const path = `${folder}/${node}`;
        const providers = this.#providersAt(path);
        if (providers.length > 0) found.set(path, providers);
      }
    };
    await Promise.all(children.map(read));
    return found;
  }

  #providersAt(path: string): readonly Provider[] {
    const place = this.#paths.placeOf(path);
    if (place?.category !== "providers" || place.url === undefined) return [];
    const provider = parseProvider(place.url, place.interface);
    return provider === undefined || provider.parameters.has(originParameter) ? [] : [provider];
  }

  // Applications: what one serves is in metadata of its own

  async #readApplications(): Promise<Map<string, readonly Provider[]>> {
    const found = new Map<string, readonly Provider[]>();
    const applications = (await this.#client.children(this.#paths.servicesRoot)) ?? [];
    const read = async (application: string) => {
      for (const node of (await this.#client.children(this.#paths.application(application))) ?? []) {
        const path = this.#paths.instance(application, node);
        const providers = await this.#readInstance(path);
        if (providers.length > 0) found.set(path, providers);
      }
    };
    await Promise.all(applications.map(read));
    return found;
  }

  async #readInstance(path: string): Promise<readonly Provider[]> {
    const read = await this.#client.read(path);
    const instance = read === undefined ? undefined : parseApplicationInstance(read.data.toString("utf8"));
    if (instance === undefined || instance.metadata[originParameter] !== undefined) return [];
    return await this.#servedBy(instance);
  }

  async #servedBy(instance: ApplicationInstance): Promise<readonly Provider[]> {
    const { application, revision, storage } = instance;
    if (revision === undefined) return [];
    if (storage === "local") {
      // By default applications register their interfaces, too, and are known by these.
      this.#logger.debug(
        { application },
        "an application tells what it serves only itself: its interfaces are read where it registers them",
      );
      return [];
    }
    const read = await this.#client.read(this.#paths.metadata(application, revision));
    const metadata = read === undefined ? undefined : parseApplicationMetadata(read.data.toString("utf8"));
    return metadata === undefined ? [] : providersOf(instance, metadata);
  }

  #onChange(type: WatchEventType, path: string): void {
    if (type === "children") return;
    if (path.startsWith(`${this.#paths.servicesRoot}/`)) {
      this.#onInstanceChange(type, path);
      return;
    }
    if (type === "data") return;
    const place = this.#paths.placeOf(path);
    if (place?.category !== "providers" || place.url === undefined) return;
    this.#events.onChange(path, type === "deleted" ? [] : this.#providersAt(path));
  }

  #onInstanceChange(type: WatchEventType, path: string): void {
    const depth = path.slice(this.#paths.servicesRoot.length + 1).split("/").length;
    if (depth !== 2) return;
    if (type === "deleted") {
      this.#events.onChange(path, []);
      return;
    }
    const connection = this.#connection;
    this.#guard(connection, async () => {
      const providers = await this.#readInstance(path);
      if (connection === this.#connection) this.#events.onChange(path, providers);
    });
  }
}
