import { FairleadError } from "@fairlead/errors";
import type { SlotControl, WorkerLink } from "@fairlead/slot";
import type { RuntimeLogger } from "../runtime-options.ts";
import "./errors.ts";
import type { WorkerEvent, WorkerStart } from "./messages.ts";
import { Restarts } from "./restarts.ts";
import { WorkerLife } from "./worker-life.ts";

export interface WorkerCrewOptions {
  readonly control: SlotControl;
  /** With the controlling one, which is 0. */
  readonly threads: number;
  readonly logger: RuntimeLogger;
  readonly start: (thread: number) => Omit<WorkerStart, "events">;
  readonly onEvent: (thread: number, event: WorkerEvent) => void;
  /** It ended by itself; another takes its place. */
  readonly onGone: (thread: number) => void;
  /** Gives one that has been started again what is in force. */
  readonly restore: (thread: number) => Promise<void>;
  /** Gives one that was late what it has missed. */
  readonly catchUp: (thread: number) => Promise<void>;
  /** They end again and again. @default throws, which ends the process */
  readonly onFailure: ((error: Error) => void) | undefined;
}

/** The worker threads: one that ends by itself is started again. */
export class WorkerCrew {
  readonly #options: WorkerCrewOptions;
  readonly #workers = new Map<number, WorkerLife>();
  readonly #restoring = new Set<number>();
  readonly #catchingUp = new Set<number>();
  readonly #restarts = new Restarts(() => performance.now());
  /** How often one has ended by itself. */
  crashed = 0;
  #begun = false;
  #closed = false;

  constructor(options: WorkerCrewOptions) {
    this.#options = options;
  }

  /** The first time that it is called. */
  begin(): void {
    if (this.#begun || this.#closed) return;
    this.#begun = true;
    for (let thread = 1; thread < this.#options.threads; thread++) this.#start(thread);
  }

  /** Of those that have what is in force, or get it for the first time. */
  get serving(): readonly number[] {
    return [...this.#workers.keys()].filter((thread) => !this.#restoring.has(thread));
  }

  /** Those that owe an answer for longer than they are waited for, or have missed something since. */
  get late(): readonly number[] {
    return [...this.#workers].filter(([, { link }]) => link.late).map(([thread]) => thread);
  }

  /** Whether it does not have what is in force because it was late. */
  isBehind(thread: number): boolean {
    return this.#catchingUp.has(thread) || this.linkOf(thread)?.late === true;
  }

  linkOf(thread: number): WorkerLink | undefined {
    return this.#workers.get(thread)?.link;
  }

  /** It ends, and another takes its place. */
  replace(thread: number, reason: string): void {
    if (this.#closed) return;
    this.#options.logger.error({ worker: thread - 1, reason }, "a worker thread that was stuck is replaced");
    this.#workers.get(thread)?.giveUp(reason);
  }

  /** What ends from now on is not started again. */
  beginClose(): void {
    this.#closed = true;
  }

  /** They are not asked: that has been done before. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.end()));
  }

  #start(thread: number): void {
    const { control, start, onEvent } = this.#options;
    const worker = new WorkerLife({
      control,
      start: () => start(thread),
      onEvent: (event) => onEvent(thread, event),
      onBehind: () => this.#catchUp(thread),
      onEnd: (error) => this.#onEnd(thread, error),
    });
    this.#workers.set(thread, worker);
  }

  #catchUp(thread: number): void {
    if (this.#closed) return;
    const { logger, catchUp } = this.#options;
    this.#catchingUp.add(thread);
    catchUp(thread)
      .catch((error: unknown) => {
        logger.error({ err: error, worker: thread - 1 }, "a worker was not given what it has missed");
        this.replace(thread, "it was not given what it has missed");
      })
      .finally(() => this.#catchingUp.delete(thread));
  }

  #onEnd(thread: number, error: Error): void {
    if (this.#closed) return;
    const { logger, onGone, restore } = this.#options;
    this.crashed++;
    logger.error({ err: error, worker: thread - 1 }, "a worker thread has ended; it is started again");
    this.#workers.delete(thread);
    onGone(thread);
    if (!this.#restarts.allow()) {
      const message = `worker threads end again and again; the last: ${error.message}`;
      this.#fail(new FairleadError("FL_WORKERS_FAIL", message, { cause: error }));
      return;
    }
    this.#restoring.add(thread);
    this.#start(thread);
    restore(thread).then(
      () => this.#restoring.delete(thread),
      (failure: unknown) => logger.error({ err: failure }, "a worker could not be started again"),
    );
  }

  #fail(error: Error): void {
    const { onFailure } = this.#options;
    if (onFailure !== undefined) onFailure(error);
    // Uncaught, so that the process ends with it.
    else setImmediate(() => { throw error; }); // prettier-ignore
  }
}
