import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgresServer } from "@fairlead/postgres-server";

/** A PostgreSQL for one test file, with ways to take it away. */
export interface TestPostgres {
  /** postgres://…; the same after `restart`. */
  readonly url: string;
  /** Stops all its processes (SIGSTOP), so that it neither answers nor closes a connection. Linux only. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it as a crash does: SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder, having stopped it where it runs. */
  restart(): Promise<void>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

/** The server and its backends, the server first: a stopped server starts no more of them. */
async function signalAll(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  for (const child of children.split(" ").filter((text) => text.trim() !== "")) process.kill(Number(child), signal);
}

/** Starts a PostgreSQL in a temporary folder: about 1 s. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const dataFolder = await mkdtemp(join(tmpdir(), "fairlead-test-postgres-"));
  let server = await startPostgresServer({ dataFolder, durable: false });
  const { url, port } = server;
  return {
    url,
    pause: () => signalAll(server.pid, "SIGSTOP"),
    resume: () => signalAll(server.pid, "SIGCONT"),
    async kill() {
      process.kill(server.pid, "SIGKILL");
      await server.stop();
    },
    async restart() {
      await server.stop();
      server = await startPostgresServer({ dataFolder, port, durable: false });
    },
    async stop() {
      await server.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
