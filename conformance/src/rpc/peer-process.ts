import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

const startTimeoutMs = 60_000;
const stopTimeoutMs = 2000;

/** A server of another implementation, in a process of its own. */
export class PeerServer implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it has printed `ready`. */
  static async start(command: readonly string[]): Promise<PeerServer> {
    const [program = "", ...args] = command;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    const server = new PeerServer(child);
    let printed = "";
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (chunk: Buffer) => {
        printed = `${printed}${chunk.toString()}`.slice(-2000);
        if (/^ready$/m.test(printed)) resolve();
      });
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`${program} ended: ${printed}`)));
    });
    const late = pause(startTimeoutMs, undefined, { ref: false }).then(() => {
      throw new Error(`${program} was not ready in ${startTimeoutMs} ms: ${printed}`);
    });
    try {
      await Promise.race([ready, late]);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child, "exit");
    this.#child.kill();
    await Promise.race([exited, pause(stopTimeoutMs, undefined, { ref: false })]);
    this.#child.kill("SIGKILL");
  }
}
