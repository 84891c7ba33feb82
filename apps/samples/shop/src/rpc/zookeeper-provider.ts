import { createRequire } from "node:module";

/** What this file uses of node-zookeeper-client. */
interface Client {
  connect(): void;
  close(): void;
  on(event: "connected" | "expired", listener: () => void): void;
  mkdirp(path: string, callback: (error?: Error) => void): void;
  create(path: string, data: Buffer, mode: number, callback: (error?: Error) => void): void;
}
interface Library {
  createClient(servers: string, options: { readonly sessionTimeout: number }): Client;
  readonly CreateMode: { readonly EPHEMERAL: number };
}
const library = createRequire(import.meta.url)("node-zookeeper-client") as Library;

const sessionTimeoutMs = 6000;

export interface DubboProvider {
  readonly interface: string;
  readonly methods: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly application: string;
}

/** The URL that Dubbo has as the name of a provider's node; escaped as Java does. */
export function providerNode(provider: DubboProvider): string {
  const { interface: name, methods, host, port, application } = provider;
  const parameters = { application, dubbo: "2.0.2", interface: name, methods: methods.join(), side: "provider" };
  const query = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  const url = `dubbo://${host}:${port}/${name}?${query.join("&")}`;
  return `/dubbo/${name}/providers/${encodeURIComponent(url).replaceAll("%20", "+")}`;
}

/** A provider in a ZooKeeper, as Dubbo's own registry writes it: it is gone with its session. */
export class ZooKeeperProvider {
  readonly #servers: string;
  readonly #node: string;
  #client: Client | undefined;

  constructor(servers: string, provider: DubboProvider) {
    this.#servers = servers;
    this.#node = providerNode(provider);
  }

  /** Resolves when it is registered. From then on it is registered again with each new session. */
  async register(): Promise<void> {
    const client = library.createClient(this.#servers, { sessionTimeout: sessionTimeoutMs });
    this.#client = client;
    // An expired client of this library connects no more.
    client.on("expired", () => void this.register().catch(() => undefined));
    const connected = new Promise<void>((resolve) => client.on("connected", resolve));
    client.connect();
    await connected;
    const folder = this.#node.slice(0, this.#node.lastIndexOf("/"));
    await asked((callback) => client.mkdirp(folder, callback));
    await asked((callback) => client.create(this.#node, Buffer.alloc(0), library.CreateMode.EPHEMERAL, callback));
  }

  close(): void {
    this.#client?.close();
  }
}

async function asked(ask: (callback: (error?: Error) => void) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    ask((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}
