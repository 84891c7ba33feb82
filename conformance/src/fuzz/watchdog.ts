import { Worker } from "node:worker_threads";
import { join } from "node:path";
import type { WatchdogData } from "./watchdog-thread.ts";

const HEAD_BYTES = 8;

/** Ends the process when one input takes too long, and keeps that input: who loops forever cannot say so. */
export class Watchdog implements AsyncDisposable {
  readonly #shared: SharedArrayBuffer;
  readonly #turn: Int32Array;
  readonly #input: Uint8Array;
  readonly #worker: Worker;

  constructor(maxBytes: number, limitMs: number, file: string) {
    this.#shared = new SharedArrayBuffer(HEAD_BYTES + maxBytes);
    this.#turn = new Int32Array(this.#shared, 0, 2);
    this.#input = new Uint8Array(this.#shared, HEAD_BYTES);
    const workerData: WatchdogData = { shared: this.#shared, limitMs, file };
    this.#worker = new Worker(join(import.meta.dirname, "watchdog-thread.ts"), { workerData });
    this.#worker.unref();
  }

  begins(input: Buffer): void {
    this.#input.set(input);
    Atomics.store(this.#turn, 1, input.length);
    Atomics.add(this.#turn, 0, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
