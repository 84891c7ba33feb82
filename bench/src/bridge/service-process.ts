import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const apps = join(import.meta.dirname, "../../../apps");
const deadlineMs = 60_000;

/** One service as its own process, with its log. */
export class ServiceProcess {
  readonly #app: string;
  readonly #port: number;
  readonly #child: ChildProcess;
  #log = "";

  /** @param port of its HTTP API */
  constructor(app: string, port: number, environment: Readonly<Record<string, string>>) {
    this.#app = app;
    this.#port = port;
    this.#child = spawn(process.execPath, [join(apps, app, "src/main.ts")], {
      env: {
        PATH: process.env["PATH"] ?? "",
        FAIRLEAD_LOG_LEVEL: "info",
        FAIRLEAD_HTTP_PORT: String(port),
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (bytes: Buffer) => (this.#log = (this.#log + bytes.toString()).slice(-200_000)));
  }

  /** It has what it needs to do its work. */
  async ready(): Promise<void> {
    for (const end = Date.now() + deadlineMs; ; await pause(20)) {
      const status = await fetch(`http://127.0.0.1:${this.#port}/readyz`).then((answer) => answer.status, () => 0); // prettier-ignore
      if (status === 200) return;
      if (Date.now() > end) throw new Error(`${this.#app} is not ready; its log ends with\n${this.#log.slice(-3000)}`);
    }
  }

  /** When a line of its log said so; ms since the epoch. */
  async saidAt(text: string): Promise<number> {
    for (const end = Date.now() + deadlineMs; ; await pause(5)) {
      const line = this.#log.split("\n").find((one) => one.includes(text));
      if (line !== undefined) {
        const { time } = JSON.parse(line) as { time: number | string };
        return new Date(time).getTime();
      }
      if (this.#child.exitCode !== null || Date.now() > end)
        throw new Error(`${this.#app} did not say "${text}"; its log ends with\n${this.#log.slice(-3000)}`);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
    await exited;
    clearTimeout(killer);
  }
}
