/** A bounded number of pieces of work at a time; further ones wait their turn, first come first served, and not for ever. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  readonly #maxWaitMs: number;
  #free: number;

  constructor(count: number, maxWaitMs: number) {
    this.#free = count;
    this.#maxWaitMs = maxWaitMs;
  }

  /** @throws Error "timeout…" when no slot became free in time */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#take();
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(new Error(`timeout: all connections were busy for ${this.#maxWaitMs} ms`));
      }, this.#maxWaitMs);
      this.#waiting.push(start);
    });
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
