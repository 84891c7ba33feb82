import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { isRefusal, type ZooKeeperClient } from "@fairlead/zookeeper";
import type { ExportedMapping, ExportedTree } from "./exported-nodes.ts";
import { mapInterface } from "./interface-mappings.ts";

const retryMs = 1_000;

/**
 * Keeps nodes of the mesh in a ZooKeeper, as ephemeral ones: they end with its session. It never touches a node of another session, but
 * for one of a name that is its own: that is left over from its last session, and would be removed from under it when that expires.
 */
export class ZooKeeperExport {
  readonly #client: ZooKeeperClient;
  readonly #logger: Logger;
  #wanted = new Map<string, string>();
  #mappings = new Map<string, ExportedMapping>();
  /** Made in this session, with what data. */
  readonly #made = new Map<string, string>();
  readonly #mapped = new Set<string>();
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;
  #lastFailure: string | undefined;

  constructor(client: ZooKeeperClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  set({ nodes, mappings }: ExportedTree): void {
    this.#wanted = new Map(nodes.map(({ path, data }) => [path, data]));
    this.#mappings = new Map(mappings.map((mapping) => [`${mapping.path} ${mapping.application}`, mapping]));
    this.#reconcile();
  }

  onConnected(newSession: boolean): void {
    if (newSession) {
      this.#made.clear();
      // A new session may be with a ZooKeeper that has lost its data.
      this.#mapped.clear();
    }
    this.#reconcile();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  #reconcile(): void {
    if (this.#stopped || this.#client.state !== "connected") return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#retry);
    this.#running = this.#once()
      .catch((caught: unknown) => {
        const error = FairleadError.from(caught);
        if (error.message !== this.#lastFailure)
          this.#logger.warn({ err: error }, "services could not be exported; it is tried again");
        this.#lastFailure = error.message;
        this.#retry = setTimeout(() => this.#reconcile(), retryMs);
      })
      .finally(() => {
        this.#running = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.#reconcile();
      });
  }

  async #once(): Promise<void> {
    const [wanted, mappings] = [this.#wanted, this.#mappings];
    // Answers come in the order of the requests: what is made first is there first.
    const putting = await Promise.allSettled([...wanted].map(([path, data]) => this.#put(path, data)));
    // What is replaced goes last: neither is a consumer left without providers, nor an instance without its metadata.
    const removing = await Promise.allSettled(
      [...this.#made.keys()].map(async (path) => {
        if (wanted.has(path)) return;
        await this.#remove(path);
        this.#made.delete(path);
      }),
    );
    const mapping = await Promise.allSettled(
      [...mappings].map(async ([key, { path, application }]) => {
        if (this.#mapped.has(key)) return;
        await mapInterface(this.#client, path, application);
        this.#mapped.add(key);
      }),
    );
    // One that is refused, as of a node that somebody else keeps there, does not hold up the others.
    for (const result of [...putting, ...removing, ...mapping]) if (result.status === "rejected") throw result.reason;
    this.#lastFailure = undefined;
  }

  async #put(path: string, data: string): Promise<void> {
    const made = this.#made.get(path);
    if (made === data) return;
    if (made === undefined) await this.#make(path, Buffer.from(data));
    else await this.#client.write(path, Buffer.from(data));
    this.#made.set(path, data);
  }

  async #make(path: string, data: Buffer): Promise<void> {
    const create = async () => await this.#client.create(path, data, { ephemeral: true });
    try {
      await create();
    } catch (error) {
      if (isRefusal(error, "no-node")) {
        await this.#client.ensure(path.slice(0, path.lastIndexOf("/")));
      } else {
        if (!isRefusal(error, "node-exists")) throw error;
        const owner = (await this.#client.stat(path))?.ephemeralOwner;
        if (owner === this.#client.sessionId) return await this.#client.write(path, data);
        await this.#remove(path);
      }
      await create();
    }
  }

  async #remove(path: string): Promise<void> {
    await this.#client.delete(path).catch((error: unknown) => {
      if (!isRefusal(error, "no-node")) throw error;
    });
  }
}
