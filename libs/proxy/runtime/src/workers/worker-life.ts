import { extname } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { FairleadError } from "@fairlead/errors";
import type { SlotControl, WorkerLink } from "@fairlead/slot";
import type { WorkerEvent, WorkerStart } from "./messages.ts";

/**
 * What a proxy makes for a request dies at once: more room for young objects than this costs memory and saves nothing
 * (docs/where-the-time-goes.md). It is three times what `--max-semi-space-size=8` gives; that flag, where given, is in force instead.
 */
const maxYoungGenerationSizeMb = 24;

export interface WorkerLifeOptions {
  readonly control: SlotControl;
  readonly start: () => Omit<WorkerStart, "events">;
  readonly onEvent: (event: WorkerEvent) => void;
  /** See `SlotControl.addWorker`. */
  readonly onBehind: () => void;
  /** It ended by itself, or was ended by `giveUp`. */
  readonly onEnd: (error: Error) => void;
}

/** One worker thread, from its start to its end. */
export class WorkerLife {
  readonly #worker: Worker;
  readonly #link: WorkerLink;
  readonly #exited: Promise<unknown>;
  #failure: Error | undefined;
  #closing = false;

  constructor({ control, start, onEvent, onBehind, onEnd }: WorkerLifeOptions) {
    const { port1, port2 } = new MessageChannel();
    const data = { ...start(), events: port2 } satisfies WorkerStart;
    this.#worker = new Worker(new URL(`./worker-thread${extname(import.meta.filename)}`, import.meta.url), {
      workerData: data,
      transferList: [port2],
      name: `fairlead worker ${data.thread - 1}`,
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    this.#link = control.addWorker(`worker ${data.thread - 1}`, this.#worker, onBehind);
    port1.on("message", onEvent);
    port1.unref();
    this.#worker.on("error", (error) => {
      this.#failure = FairleadError.from(error);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", (code) => {
        port1.close();
        this.#link.remove();
        resolve(code);
        if (!this.#closing) onEnd(this.#failure ?? new Error(`it ended with exit code ${code}`));
      });
    });
  }

  get link(): WorkerLink {
    return this.#link;
  }

  /** It ends, and another takes its place. */
  giveUp(reason: string): void {
    this.#failure = new Error(reason);
    void this.#worker.terminate();
  }

  /** It is not waited for what it does: call `close` in it before. */
  async end(): Promise<void> {
    this.#closing = true;
    this.#link.remove();
    await this.#worker.terminate();
    await this.#exited;
  }
}
