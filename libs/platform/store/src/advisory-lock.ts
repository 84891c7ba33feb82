import { Client } from "pg";
import type { AdvisoryLock } from "./catalogue-reader.ts";
import { connectTimeoutMs, keepAlive } from "./data-source.ts";
import type { Database } from "./database.ts";
import { storeError } from "./store-error.ts";

/** A lock's bigint is in pg_locks as two halves, with objsubid 1. */
const holderStatement = `
  SELECT extract(epoch FROM now() - session.backend_start) * 1000 AS held
  FROM pg_locks held JOIN pg_stat_activity session USING (pid), hashtextextended($1, 0) AS key
  WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND held.classid::bigint = (key >> 32) & 4294967295 AND held.objid::bigint = key & 4294967295`;

/** @returns for how long the session has been there that holds the lock; undefined when none does @throws FairleadError FL_STORE_UNAVAILABLE */
export async function lockHeldForMs(database: Database, name: string): Promise<number | undefined> {
  return await database.transaction("READ COMMITTED", async (manager) => {
    const rows: { held: string }[] = await manager.query(holderStatement, [name]);
    return rows[0] === undefined ? undefined : Number(rows[0].held);
  });
}

/** How often the session that holds a lock is asked whether it is still there, and how long it may take to answer. */
const checkIntervalMs = 2000;
const answerTimeoutMs = 3000;
/**
 * A holder that is stopped keeps its connections: after this long without a question PostgreSQL ends its session, and another may take the
 * lock. Long enough for one that only works without a pause.
 */
const silentHolderMs = 60_000;

/**
 * Takes a lock in a session of its own, outside of the pool: it lives as long as that session.
 *
 * @returns undefined when another session holds it
 * @throws FairleadError FL_STORE_UNAVAILABLE
 */
export async function tryAdvisoryLock(url: string, name: string): Promise<AdvisoryLock | undefined> {
  const client = new Client({
    connectionString: url,
    application_name: "fairlead-lock",
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    ...keepAlive,
  });
  const lost = new AbortController();
  const lose = (error?: Error) => {
    if (lost.signal.aborted) return;
    lost.abort(storeError(error ?? new Error("connection terminated")));
    void client.end().catch(() => undefined);
  };
  client.on("error", lose);
  client.on("end", () => lose());
  try {
    await client.connect();
    await client.query(`SET idle_session_timeout = ${silentHolderMs}`);
    const { rows } = await client.query<{ granted: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS granted",
      [name],
    );
    if (rows[0]?.granted !== true) {
      await client.end();
      return undefined;
    }
  } catch (caught) {
    void client.end().catch(() => undefined);
    throw storeError(caught);
  }
  const checking = setInterval(() => {
    client.query("SELECT 1").catch(lose);
  }, checkIntervalMs);
  lost.signal.addEventListener("abort", () => clearInterval(checking));
  return {
    lost: lost.signal,
    async release() {
      clearInterval(checking);
      client.removeAllListeners("end");
      await client.end().catch(() => undefined);
    },
  };
}
