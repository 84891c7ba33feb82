import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { LoadAnswer, LoadOperations } from "./load/protocol.ts";

/** The load process, from outside. */
export class LoadClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #requests = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message) => this.#answered(message as LoadAnswer));
    child.on("exit", (code) => {
      for (const open of this.#open.values()) open.reject(new Error(`the load process ended with ${code}`));
      this.#open.clear();
    });
  }

  static start(): LoadClient {
    return new LoadClient(
      fork(join(import.meta.dirname, "load/load-process.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] }),
    );
  }

  async ask<Name extends keyof LoadOperations>(
    operation: Name,
    request: Parameters<LoadOperations[Name]>[0],
  ): Promise<ReturnType<LoadOperations[Name]>> {
    const id = ++this.#requests;
    return await new Promise((resolve, reject) => {
      this.#open.set(id, { resolve: (result) => resolve(result as ReturnType<LoadOperations[Name]>), reject });
      this.#child.send({ id, operation, request });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await exited;
  }

  #answered(answer: LoadAnswer): void {
    const open = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if ("error" in answer) open?.reject(new Error(answer.error));
    else open?.resolve(answer.result);
  }
}
