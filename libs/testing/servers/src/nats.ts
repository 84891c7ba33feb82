import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@fairlead/testing-basics";
import { requireCommand } from "./require-command.ts";
import { runServer, type ServerControl } from "./server-process.ts";

const startDeadlineMs = 10_000;

export interface TestNatsOptions {
  /** Asks every client for this name and password. @default none */
  readonly login?: { readonly user: string; readonly password: string };
  /** The largest message in bytes. @default nats-server's own, 1 MiB */
  readonly maxPayloadBytes?: number;
  /** Further lines of its configuration file. @default none */
  readonly config?: string;
}

/** A nats-server with JetStream for one test file, with ways to take it away. */
export interface TestNats extends ServerControl {
  /** nats://127.0.0.1:<port>, with the login where there is one; the same after `restart`. */
  readonly url: string;
  readonly port: number;
}

/** Resolves when the server says that it takes clients; rejects with its log when it ends before. */
async function launch(command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    const failed = (what: string) => {
      child.kill("SIGKILL");
      reject(new Error(`nats-server ${what}; its log:\n${log}`));
    };
    const timer = setTimeout(() => failed(`was not ready after ${startDeadlineMs} ms`), startDeadlineMs);
    child.once("error", (error) => failed(`could not be started: ${error.message}`));
    child.once("exit", (code) => {
      clearTimeout(timer);
      failed(`ended with ${code}`);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log = `${log}${text}`.slice(-20_000);
      if (!log.includes("Server is ready")) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return child;
}

/** Starts nats-server in a temporary folder: about 0.1 s, and once on a machine the time to install it. */
export async function startTestNats({ login, maxPayloadBytes, config = "" }: TestNatsOptions = {}): Promise<TestNats> {
  const command = await requireCommand("nats-server", "nats-server");
  const folder = await mkdtemp(join(tmpdir(), "fairlead-test-nats-"));
  const port = await freePort();
  const args = ["-js", "-sd", folder, "-a", "127.0.0.1", "-p", String(port)];
  if (login !== undefined) args.push("--user", login.user, "--pass", login.password);

  // It has no flag of its own.
  const lines = maxPayloadBytes === undefined ? config : `max_payload: ${maxPayloadBytes}\n${config}`;
  if (lines !== "") {
    const path = join(folder, "nats.conf");
    await writeFile(path, lines);
    args.push("-c", path);
  }

  const control = await runServer(() => launch(command, args), { folder, data: folder });
  const credentials =
    login === undefined ? "" : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`;
  return {
    url: `nats://${credentials}127.0.0.1:${port}`,
    port,
    ...control,
  };
}
