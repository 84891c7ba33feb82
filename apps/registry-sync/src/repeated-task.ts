import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import { detached } from "@fairlead/telemetry";

export interface RepeatedTaskOptions {
  /** For the log: what could not be done. */
  readonly what: string;
  /** From the end of one run to the next. */
  readonly intervalMs: number;
  readonly run: () => Promise<void>;
  readonly logger: Logger;
}

/** Runs something at once, then again and again, never twice at a time. A failure is logged when it is not that of the run before. */
export class RepeatedTask {
  readonly #options: RepeatedTaskOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = true;
  #lastFailure: string | undefined;

  constructor(options: RepeatedTaskOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.trigger();
  }

  /** Runs it now; while it runs, once more right after that. */
  trigger(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    // A run serves many requests: it does not belong to the trace of the one that triggered it.
    detached(() => {
      this.#running = this.#once().finally(() => this.#planNext());
    });
  }

  /** Resolves when the run under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #planNext(): void {
    this.#running = undefined;
    if (this.#stopped) return;
    if (this.#again) {
      this.#again = false;
      this.trigger();
    } else {
      this.#timer = setTimeout(() => this.trigger(), this.#options.intervalMs);
    }
  }

  async #once(): Promise<void> {
    const { what, run, logger } = this.#options;
    try {
      await run();
      if (this.#lastFailure !== undefined) logger.info(`${what}: works again`);
      this.#lastFailure = undefined;
    } catch (caught) {
      const error = FairleadError.from(caught);
      if (error.code !== this.#lastFailure)
        logger.warn({ err: error, code: error.code }, `${what}: failed, it is tried again`);
      this.#lastFailure = error.code;
    }
  }
}
