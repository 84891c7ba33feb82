import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Socket } from "node:net";
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
  for (const child of children.split(" ").filter((text) => text.trim() !== "")) {
    try {
      process.kill(Number(child), signal);
    } catch (error) {
      // A backend that ended since the list was read.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Its input ends when this process does, however that happens; then it ends the server and removes the folder. */
const guardScript = `
  read -r _
  pid=$(head -n 1 "$1/cluster/postmaster.pid" 2>/dev/null) && kill -INT "$pid" && while kill -0 "$pid"; do sleep 0.1; done
  rm -rf "$1"`;

/** A test process that is killed, as the runner does at a time-out, leaves nothing behind. @returns a function that ends the guard */
function guard(dataFolder: string): () => void {
  const child = spawn("sh", ["-c", guardScript, "sh", dataFolder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return () => child.kill();
}

/** Starts a PostgreSQL in a temporary folder: about 1 s. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const dataFolder = await mkdtemp(join(tmpdir(), "fairlead-test-postgres-"));
  const endGuard = guard(dataFolder);
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
      endGuard();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
