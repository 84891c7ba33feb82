import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@fairlead/logging";
import { tryAdvisoryLock } from "./advisory-lock.ts";
import { createDataSource } from "./data-source.ts";
import { storeError } from "./store-error.ts";

const lockName = "fairlead.migrate";
const lockPollMs = 200;

/**
 * Brings the schema up to date. Replicas that do this at the same time wait for each other.
 *
 * @throws FairleadError FL_STORE_UNAVAILABLE
 */
export async function migrate(url: string, logger: Logger): Promise<void> {
  let lock = await tryAdvisoryLock(url, lockName);
  while (lock === undefined) {
    await sleep(lockPollMs);
    lock = await tryAdvisoryLock(url, lockName);
  }
  const source = createDataSource({ url, poolSize: 2, statementTimeoutMs: 0, onPoolError: () => undefined });
  try {
    await source.initialize();
    for (const { name } of await source.runMigrations({ transaction: "all" }))
      logger.info({ migration: name }, "database migrated");
  } catch (caught) {
    throw storeError(caught);
  } finally {
    if (source.isInitialized) await source.destroy().catch(() => undefined);
    await lock.release();
  }
}
