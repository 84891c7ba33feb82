import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLogger } from "@fairlead/logging";
import { startTestPostgres, type TestPostgres } from "@fairlead/testing-servers";
import { Database } from "./database.ts";

let postgres: TestPostgres;
let database: Database;
before(async () => {
  postgres = await startTestPostgres();
  database = new Database({
    url: postgres.url,
    logger: createLogger({ service: "test", level: "silent" }),
    statementTimeoutMs: 500,
    poolSize: 1,
  });
});
after(async () => {
  await database?.close();
  await postgres?.stop();
});

async function backendPid(): Promise<number> {
  return await database.transaction("READ COMMITTED", async (manager) => {
    const rows: { pid: number }[] = await manager.query("SELECT pg_backend_pid() AS pid");
    return rows[0]!.pid;
  });
}

test("a connection that hangs is given up and not used again", async () => {
  const hanging = await backendPid();
  assert.equal(await backendPid(), hanging, "the pool keeps it");
  process.kill(hanging, "SIGSTOP");
  try {
    await assert.rejects(backendPid(), { code: "FL_STORE_UNAVAILABLE" });
    assert.notEqual(await backendPid(), hanging);
  } finally {
    process.kill(hanging, "SIGCONT");
  }
});

test("a statement that takes too long is ended, and its transaction undone", async () => {
  await assert.rejects(
    database.transaction("READ COMMITTED", (manager) =>
      manager.query("CREATE TABLE undone (n int); SELECT pg_sleep(5)"),
    ),
    { code: "FL_STORE_UNAVAILABLE" },
  );
  const rows: unknown = await database.transaction("READ COMMITTED", (manager) =>
    manager.query("SELECT to_regclass('undone') AS found"),
  );
  assert.deepEqual(rows, [{ found: null }]);
});

test("transactions that undo each other run again", async () => {
  await database.transaction("READ COMMITTED", (manager) =>
    manager.query("CREATE TABLE pair (id int PRIMARY KEY, n int); INSERT INTO pair VALUES (1, 0), (2, 0)"),
  );
  const wide = new Database({
    url: postgres.url,
    logger: createLogger({ service: "test", level: "silent" }),
    statementTimeoutMs: 5000,
    poolSize: 2,
  });
  let runs = 0;
  const gate = Promise.withResolvers<void>();
  const crossing = (first: number, second: number) =>
    wide.transaction("READ COMMITTED", async (manager) => {
      await manager.query("UPDATE pair SET n = n + 1 WHERE id = $1", [first]);
      if (++runs === 2) gate.resolve();
      await gate.promise;
      await manager.query("UPDATE pair SET n = n + 1 WHERE id = $1", [second]);
    });
  await Promise.all([crossing(1, 2), crossing(2, 1)]);
  assert.equal(runs, 3, "one was chosen by PostgreSQL to give way");
  const rows: unknown = await wide.transaction("READ COMMITTED", (manager) =>
    manager.query("SELECT n FROM pair ORDER BY id"),
  );
  assert.deepEqual(rows, [{ n: 2 }, { n: 2 }]);
  await wide.close();
});
