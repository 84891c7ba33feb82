import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { FairleadError } from "@fairlead/errors";
import { stopDeadlineMs } from "./leftover-server.ts";
import type { ServerAccount } from "./server-account.ts";
import "./errors.ts";

const startDeadlineMs = 60_000;
const keptLines = 12;

/** A running `postgres`. */
export interface ServerProcess {
  readonly pid: number;
  /** SIGINT (clients are disconnected, nothing is lost), and SIGKILL after 10 s. Resolves at once when it has ended already. */
  stop(): Promise<void>;
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.ref(); // this process stays until the server has ended
  child.kill("SIGINT");
  child.kill("SIGCONT");
  const killing = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
  await exited;
  clearTimeout(killing);
}

/**
 * Starts `postgres` and resolves once it takes connections.
 *
 * It has a process group of its own: a Ctrl-C in the terminal reaches this process only, which stops the services before
 * their database. It does not keep this process alive; when that ends without `stop`, the server is told to end too.
 *
 * @throws FairleadError FL_POSTGRES_START_FAILED with the last lines that it wrote
 */
export async function runServer(options: {
  readonly postgres: string;
  readonly args: readonly string[];
  readonly account: ServerAccount | undefined;
  readonly log: (line: string) => void;
}): Promise<ServerProcess> {
  const child = spawn(options.postgres, options.args, {
    cwd: "/",
    uid: options.account?.uid,
    gid: options.account?.gid,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
  });
  const exited = Promise.race([once(child, "exit"), once(child, "error")]);
  const endWithUs = () => child.kill("SIGINT");
  process.once("exit", endWithUs);
  void exited.catch(() => undefined).finally(() => process.off("exit", endWithUs));

  const lines: string[] = [];
  const ready = new Promise<"ready">((resolve) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      options.log(line);
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      if (line.includes("database system is ready to accept connections")) resolve("ready");
    });
  });
  const late = new Promise<"late">((resolve) => setTimeout(resolve, startDeadlineMs, "late").unref());
  const outcome = await Promise.race([ready, late, exited.then(() => "exited" as const)]);
  if (outcome !== "ready" || child.pid === undefined) {
    if (outcome === "late") await end(child, exited);
    const why = outcome === "late" ? `not ready after ${startDeadlineMs / 1000} s` : "it ended";
    throw new FairleadError(
      "FL_POSTGRES_START_FAILED",
      `PostgreSQL did not start: ${why}; its last words: ${lines.join(" / ")}`,
      {
        facts: { output: lines },
      },
    );
  }
  child.unref();
  if (child.stderr instanceof Socket) child.stderr.unref();
  return { pid: child.pid, stop: () => end(child, exited) };
}
