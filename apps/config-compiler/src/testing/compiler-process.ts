import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const mainFile = fileURLToPath(new URL("../main.ts", import.meta.url));

/** A config-compiler of its own, that can be killed. */
export class CompilerProcess {
  readonly #child: ChildProcess;
  readonly #log: string[] = [];
  #waiting: {
    readonly isIt: (line: string) => boolean;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  constructor(natsUrl: string, databaseUrl: string, settings: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [mainFile], {
      env: {
        ...process.env,
        FAIRLEAD_NATS_URL: natsUrl,
        FAIRLEAD_DATABASE_URL: databaseUrl,
        FAIRLEAD_BIND: "127.0.0.1",
        FAIRLEAD_HTTP_PORT: "0",
        FAIRLEAD_POLL_INTERVAL: "20ms",
        FAIRLEAD_LOG_LEVEL: "info",
        ...settings,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.once("exit", (code, signal) => {
      const ended = new Error(`config-compiler ended with ${code ?? signal}`);
      for (const { reject } of this.#waiting.splice(0)) reject(ended);
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#log.push(line);
      const found = this.#waiting.filter(({ isIt }) => isIt(line));
      this.#waiting = this.#waiting.filter((one) => !found.includes(one));
      for (const { resolve } of found) resolve();
    });
  }

  /** Resolves when a log line is written, or was, that has all of these in it. */
  async logged(...parts: string[]): Promise<void> {
    const isIt = (line: string) => parts.every((part) => line.includes(part));
    if (this.#log.some(isIt)) return;
    await this.#next(isIt);
  }

  hasLogged(part: string): boolean {
    return this.#log.some((line) => line.includes(part));
  }

  /** Resolves when it becomes this from now on. */
  async becomes(role: "active" | "standby"): Promise<void> {
    await this.#next((line) => line.includes(`"role":"${role}"`));
  }

  async #next(isIt: (line: string) => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#waiting.push({ isIt, resolve, reject }));
  }

  /** Stops it (SIGSTOP): it does nothing, and its connections stay. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
