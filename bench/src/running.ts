import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "@fairlead/testing-basics";
import { cpuSeconds, familyOf, residentMiB } from "./os-process.ts";

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(Boolean(socket.destroy())));
    socket.on("error", () => resolve(false));
  });
}

export interface RunningOptions {
  /** @default the environment of this process */
  readonly env?: Readonly<Record<string, string>>;
  /** Where what it says goes, by the name of a file in its folder. @default nowhere */
  readonly output?: string;
}

/** A running process with a folder of its own, and what the system has charged to it and its children. */
export class Running {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.#child = child;
    this.port = port;
    this.#folder = folder;
  }

  /** Resolves when it listens. @param command program and arguments for a free port */
  static async start(
    command: (port: number, folder: string) => readonly string[] | Promise<readonly string[]>,
    options: RunningOptions = {},
  ): Promise<Running> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
    const [program, ...args] = await command(port, folder);
    const output = options.output === undefined ? "ignore" : openSync(join(folder, options.output), "a");
    const child = spawn(program!, args, {
      stdio: ["ignore", output, "inherit"],
      env: { ...process.env, ...options.env },
    });
    if (typeof output === "number") closeSync(output);
    const running = new Running(child, port, folder);
    for (let tries = 0; !(await listens(port)); tries += 1) {
      if (tries > 1500 || child.exitCode !== null) {
        await running.stop();
        throw new Error(`${program} does not listen on ${port}`);
      }
      await pause(20);
    }
    return running;
  }

  /** User and system time so far, in seconds. */
  cpuSeconds(): number {
    return familyOf(this.#child.pid!).reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  }

  residentMiB(): number {
    return familyOf(this.#child.pid!).reduce((sum, pid) => sum + residentMiB(pid), 0);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    const family = familyOf(this.#child.pid!);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGKILL");
      await exited;
      for (const pid of family.slice(1)) killIfThere(pid);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went with its parent.
  }
}
