import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { isRefusal, type ZooKeeperClient } from "@fairlead/zookeeper";
import type { ExportedNode } from "./foreign-registry.ts";

const retryMs = 1_000;

/**
 * Nodes that the mesh has in a ZooKeeper, as ephemeral ones: they end with its session. It never touches a node of another session, but
 * for one of a name that is its own: that is left over from its last session, and would be removed from under it when that expires.
 */
export class ExportedNodes {
  readonly #client: ZooKeeperClient;
  readonly #logger: Logger;
  #wanted = new Map<string, string>();
  /** Made in this session, with what data. */
  readonly #made = new Map<string, string>();
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(client: ZooKeeperClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  set(nodes: readonly ExportedNode[]): void {
    this.#wanted = new Map(nodes.map(({ path, data }) => [path, data]));
    this.#reconcile();
  }

  onConnected(newSession: boolean): void {
    if (newSession) this.#made.clear();
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
        this.#logger.warn({ err: FairleadError.from(caught) }, "services could not be exported; it is tried again");
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
    for (const path of this.#made.keys()) {
      if (this.#wanted.has(path)) continue;
      await this.#remove(path);
      this.#made.delete(path);
    }
    for (const [path, data] of this.#wanted) {
      const made = this.#made.get(path);
      if (made === data) continue;
      if (made === undefined) await this.#make(path, data);
      else await this.#client.write(path, Buffer.from(data));
      this.#made.set(path, data);
    }
  }

  async #make(path: string, data: string): Promise<void> {
    await this.#client.ensure(path.slice(0, path.lastIndexOf("/")));
    const bytes = Buffer.from(data);
    try {
      await this.#client.create(path, bytes, { ephemeral: true });
    } catch (error) {
      if (!isRefusal(error, "node-exists")) throw error;
      const owner = (await this.#client.stat(path))?.ephemeralOwner;
      if (owner === this.#client.sessionId) return;
      await this.#remove(path);
      await this.#client.create(path, bytes, { ephemeral: true });
    }
  }

  async #remove(path: string): Promise<void> {
    await this.#client.delete(path).catch((error: unknown) => {
      if (!isRefusal(error, "no-node")) throw error;
    });
  }
}
