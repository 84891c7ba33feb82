import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { cpuSeconds, residentMiB } from "../os-process.ts";
import { Inspector } from "./inspector.ts";

const apps = join(import.meta.dirname, "../../../apps");

/** Where a service's process begins. */
export function mainOf(app: string): string {
  return join(apps, app, "src/main.ts");
}

const maxOutput = 20_000;
const stopDeadlineMs = 15_000;

/** One program as its own process, a service the way an image starts it, with Node's inspector to ask for its memory. */
export class InspectedProcess {
  readonly #program: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #inspector: Inspector | undefined;
  #inspectorUrl: string | undefined;
  #output = "";

  constructor(program: string, environment: Readonly<Record<string, string>>) {
    this.#program = program;
    this.#environment = environment;
  }

  start(): void {
    this.#output = "";
    const child = spawn(process.execPath, ["--inspect=127.0.0.1:0", this.#program], {
      env: { PATH: process.env["PATH"] ?? "", ...this.#environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (bytes: Buffer) => this.#wrote(bytes.toString()));
    }
    // A run that is interrupted leaves nothing behind.
    const killNow = () => child.kill("SIGKILL");
    process.once("exit", killNow);
    child.once("exit", () => process.off("exit", killNow));
    this.#child = child;
    this.#inspector = undefined;
    this.#inspectorUrl = undefined;
  }

  #wrote(text: string): void {
    this.#output = (this.#output + text).slice(-maxOutput);
    this.#inspectorUrl ??= /Debugger listening on (ws:\S+)/.exec(this.#output)?.[1];
  }

  get program(): string {
    return this.#program;
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  get #pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.running)
      throw new Error(`${this.#program} does not run; its output ends with\n${this.#output}`);
    return pid;
  }

  cpuSeconds(): number {
    return cpuSeconds(this.#pid);
  }

  residentMiB(): number {
    return residentMiB(this.#pid);
  }

  async inspector(): Promise<Inspector> {
    if (this.#inspectorUrl === undefined) throw new Error(`${this.#program} has no inspector`);
    return (this.#inspector ??= await Inspector.connect(this.#inspectorUrl));
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    this.#inspector?.close();
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
    await exited;
    clearTimeout(killer);
  }
}
