import { once } from "node:events";
import { Worker } from "node:worker_threads";

/**
 * Calls at a fixed pace. A timer of the event loop would come up to a millisecond late, and looking at the clock all the time would take
 * a core from what is measured; a thread that sleeps is late by some tens of microseconds.
 */
export class Beat implements AsyncDisposable {
  readonly #thread: Worker;

  private constructor(thread: Worker) {
    this.#thread = thread;
  }

  /** Resolves with the first beat, which is not told. */
  static async start(everyMs: number, onBeat: () => void): Promise<Beat> {
    const thread = new Worker(new URL("./beat-thread.ts", import.meta.url), { workerData: everyMs });
    await once(thread, "message");
    thread.on("message", onBeat);
    return new Beat(thread);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }
}
