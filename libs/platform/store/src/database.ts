import type { Logger } from "@fairlead/logging";
import type { Client } from "pg";
import type { DataSource, EntityManager } from "typeorm";
import { createDataSource } from "./data-source.ts";
import { Slots } from "./slots.ts";
import { isRetryable, isUnavailable, storeError } from "./store-error.ts";

export interface DatabaseOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly statementTimeoutMs: number;
  readonly poolSize: number;
}

export type Isolation = "READ COMMITTED" | "REPEATABLE READ READ ONLY";

const transactionAttempts = 3;
/** How long a transaction waits for a connection when all are busy: a burst is worked off, not refused. */
const maxQueueMs = 4000;

/**
 * Transactions over a pool that is opened at its first use, so that a process starts without PostgreSQL. All errors are
 * FairleadErrors; FL_STORE_UNAVAILABLE comes within a few seconds.
 */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #slots: Slots;
  #opening: Promise<DataSource> | undefined;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#slots = new Slots(options.poolSize, maxQueueMs);
  }

  /** Runs `work` in one transaction; runs it again when PostgreSQL undid it because of another one. */
  async transaction<T>(isolation: Isolation, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#slots.run(() => this.#once(isolation, work));
      } catch (caught) {
        if (isRetryable(caught) && attempt < transactionAttempts) continue;
        throw storeError(caught);
      }
    }
  }

  /** Whether PostgreSQL answers. Does not queue: a burst of transactions does not make it unreachable. */
  async answers(): Promise<boolean> {
    return await this.#once("READ COMMITTED", (manager) => manager.query("SELECT 1")).then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    const source = await this.#opening?.catch(() => undefined);
    if (source?.isInitialized === true) await source.destroy();
  }

  async #once<T>(isolation: Isolation, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const source = await this.#source();
    const runner = source.createQueryRunner();
    let client: Client | undefined;
    try {
      client = await runner.connect();
      if (isolation === "READ COMMITTED") {
        await runner.startTransaction("READ COMMITTED");
      } else {
        await runner.startTransaction("REPEATABLE READ");
        await runner.query("SET TRANSACTION READ ONLY");
      }
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (caught) {
      // A connection that did not answer in time may still be waiting for its answer: it must not go back to the pool.
      if (isUnavailable(storeError(caught))) void client?.end().catch(() => undefined);
      else if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => client?.end());
      throw caught;
    } finally {
      await runner.release();
    }
  }

  #source(): Promise<DataSource> {
    if (this.#closed) return Promise.reject(new Error("client was closed"));
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<DataSource> {
    const { logger, ...options } = this.#options;
    const source = createDataSource({
      ...options,
      poolSize: options.poolSize + 1, // for `answers`
      onPoolError: (error) => {
        if (!this.#closed) logger.warn({ reason: error.message }, "an idle connection to PostgreSQL was lost");
      },
    });
    return await source.initialize();
  }
}
