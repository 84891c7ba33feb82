import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { Client } from "pg";
import { type PostgresServer, startPostgresServer } from "./index.ts";

const dataFolder = await mkdtemp(join(tmpdir(), "fairlead-postgres-server-test-"));
const running = new Set<PostgresServer>();
async function start(): Promise<PostgresServer> {
  const server = await startPostgresServer({ dataFolder, durable: false });
  running.add(server);
  return server;
}
after(async () => {
  for (const server of running) await server.stop();
  await rm(dataFolder, { recursive: true, force: true });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test("starts, keeps its data over a restart, and lets in only who has the password", async () => {
  const first = await start();
  await query(first.url, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
  await assert.rejects(query(first.url.replace(/:[^:@]+@/, ":wrong@"), "SELECT 1"), /password authentication failed/);
  await first.stop();
  const second = await start();
  assert.deepEqual(await query(second.url, "SELECT n FROM kept"), [{ n: 7 }]);
  assert.deepEqual(await query(second.url, "SHOW unix_socket_directories"), [{ unix_socket_directories: "" }]);
  assert.equal((await stat(join(dataFolder, "password"))).mode & 0o777, 0o600);
  assert.equal((await stat(dataFolder)).mode & 0o777, 0o700);
  await second.stop();
});

test("stops a server that a killed process left running on its folder, and recovers", async () => {
  const program = `
    import { startPostgresServer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
    const { pid, url } = await startPostgresServer({ dataFolder: ${JSON.stringify(dataFolder)}, durable: false });
    console.log(JSON.stringify({ pid, url }));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const left = JSON.parse(line.toString()) as { pid: number; url: string };
  await query(left.url, "CREATE TABLE IF NOT EXISTS left_over (n int); INSERT INTO left_over VALUES (1)");
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await query(left.url, "SELECT 1"); // it still runs
  const next = await start();
  await assert.rejects(query(left.url, "SELECT 1"), { code: "ECONNREFUSED" });
  assert.deepEqual(await query(next.url, "SELECT n FROM left_over"), [{ n: 1 }]);
  process.kill(next.pid, "SIGKILL");
  await next.stop();
  const again = await start();
  assert.deepEqual(await query(again.url, "SELECT n FROM left_over"), [{ n: 1 }]);
  await again.stop();
});

test("a process that ends without stopping it takes it along", async () => {
  const program = `
    import { startPostgresServer } from ${JSON.stringify(import.meta.resolve("./index.ts"))};
    console.log((await startPostgresServer({ dataFolder: ${JSON.stringify(dataFolder)}, durable: false })).url);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  for (const deadline = Date.now() + 10_000; ;) {
    const error = await query(stdout.trim(), "SELECT 1").then(
      () => undefined,
      (caught: NodeJS.ErrnoException) => caught,
    );
    if (error?.code === "ECONNREFUSED") break;
    assert.ok(Date.now() < deadline, "it still runs");
  }
});

test("says what PostgreSQL said when it cannot start", async () => {
  const server = await start();
  const other = await mkdtemp(join(tmpdir(), "fairlead-postgres-server-test-"));
  try {
    await assert.rejects(startPostgresServer({ dataFolder: other, port: server.port, durable: false }), {
      code: "FL_POSTGRES_START_FAILED",
      message: /could not bind|could not create any TCP/,
    });
  } finally {
    await rm(other, { recursive: true, force: true });
    await server.stop();
  }
});

test("listens on loopback only", async () => {
  const server = await start();
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4");
  if (outside !== undefined) {
    const socket = connect(server.port, outside.address);
    await assert.rejects(once(socket, "connect"), { code: "ECONNREFUSED" });
  }
  await server.stop();
  assert.ok(!(await readdir(join(dataFolder, "cluster"))).includes("postmaster.pid"));
});

test("started by root, it runs also below a folder that its account cannot enter", async () => {
  const closed = await mkdtemp(join(tmpdir(), "fairlead-closed-")); // 0700 of root
  const server = await startPostgresServer({ dataFolder: join(closed, "data"), durable: false });
  try {
    const [{ data_directory: folder }] = (await query(server.url, "SHOW data_directory")) as [
      { data_directory: string },
    ];
    await server.stop();
    if (process.getuid?.() !== 0) {
      assert.equal(folder, join(closed, "data", "cluster"));
      return;
    }
    assert.match(folder, /^\/var\/lib\/fairlead\/[0-9a-f]{16}\/cluster$/);
    await promisify(execFile)("rm", ["-rf", join(folder, "..")]);
  } finally {
    await server.stop();
    await rm(closed, { recursive: true, force: true });
  }
});
