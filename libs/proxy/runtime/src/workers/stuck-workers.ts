import type { RuntimeLogger } from "../runtime-options.ts";

const LOOK_MS = 500;

export interface StuckWorkersOptions {
  /** With the controlling one, which is 0. */
  readonly threads: number;
  /** Which thread gets nothing done. */
  readonly isStuck: (thread: number) => boolean;
  readonly logger: RuntimeLogger;
}

/** Workers that hang: connections in them do, and those that the system gives them. Named as long as they do; a line when it begins and ends. */
export class StuckWorkers {
  readonly #options: StuckWorkersOptions;
  readonly #stuck = new Set<number>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: StuckWorkersOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  get names(): readonly string[] {
    return [...this.#stuck].map((thread) => `worker ${thread - 1}`);
  }

  look(): void {
    const { threads, isStuck, logger } = this.#options;
    for (let thread = 1; thread < threads; thread++) {
      const stuck = isStuck(thread);
      if (stuck === this.#stuck.has(thread)) continue;
      const worker = thread - 1;
      if (stuck) {
        this.#stuck.add(thread);
        logger.error({ worker }, "a worker thread is stuck; the others go on, with new configuration too");
      } else {
        this.#stuck.delete(thread);
        logger.warn({ worker }, "a worker thread that was stuck goes on, or has been replaced");
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
