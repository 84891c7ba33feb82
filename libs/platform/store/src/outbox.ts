import type { Database } from "./database.ts";
import type { OutboxRow } from "./log-entities.ts";

/** A revision that is committed and not announced yet. */
export interface PendingAnnouncement {
  readonly revision: number;
  readonly objects: readonly { readonly kind: string; readonly key: string }[];
  readonly traceparent?: string | undefined;
}

/** Announcements that were written in the transaction of the change they announce: none is lost, some are made twice. */
export interface Outbox {
  /**
   * Gives up to `limit` announcements, in order, to `publish` and removes them once it has resolved; when it rejects they
   * stay. Announcements that another replica is publishing are passed over.
   *
   * @returns how many were published
   * @throws FairleadError FL_STORE_UNAVAILABLE, or what `publish` rejects with
   */
  takePending(
    limit: number,
    publish: (announcements: readonly PendingAnnouncement[]) => Promise<void>,
  ): Promise<number>;
  /** How many wait. */
  countPending(): Promise<number>;
  /** Calls `listener` after each commit of this process that has something to announce. @returns a function that ends it */
  onPending(listener: () => void): () => void;
}

export class StoreOutbox implements Outbox {
  readonly #database: Database;
  readonly #listeners = new Set<() => void>();

  constructor(database: Database) {
    this.#database = database;
  }

  async takePending(
    limit: number,
    publish: (announcements: readonly PendingAnnouncement[]) => Promise<void>,
  ): Promise<number> {
    return await this.#database.transaction("READ COMMITTED", async (manager) => {
      const rows: OutboxRow[] = await manager.query(
        "SELECT revision, objects, traceparent FROM outbox ORDER BY revision LIMIT $1 FOR UPDATE SKIP LOCKED",
        [limit],
      );
      if (rows.length === 0) return 0;
      await publish(
        rows.map(({ revision, objects, traceparent }) => ({
          revision: Number(revision),
          objects,
          traceparent: traceparent ?? undefined,
        })),
      );
      await manager.query("DELETE FROM outbox WHERE revision = ANY($1::bigint[])", [rows.map((row) => row.revision)]);
      return rows.length;
    });
  }

  async countPending(): Promise<number> {
    return await this.#database.transaction("READ COMMITTED", async (manager) => {
      const rows: { count: string }[] = await manager.query("SELECT count(*) AS count FROM outbox");
      return Number(rows[0]!.count);
    });
  }

  onPending(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  signal(): void {
    for (const listener of this.#listeners) listener();
  }
}
