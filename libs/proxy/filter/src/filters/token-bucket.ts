import { commonCells } from "@fairlead/stat-cells";

const USED = 0;
/** When tokens came last: milliseconds, modulo 2^32; 0 = not yet. */
const FILLED = 1;
const MAX_TOKENS = 2 ** 31 - 1;
/** Clocks of threads differ by less. What seems to lie further in the future is half of 2^32 ms and more ago. */
const SKEW_MS = 1000;

export interface TokenBucketOptions {
  readonly max: number;
  readonly perFill: number;
  readonly fillMs: number;
}

/** Tokens that come back at a steady pace; each request takes one. Of all threads that build the same configuration. */
export class TokenBucket {
  readonly #max: number;
  readonly #perFill: number;
  readonly #fillMs: number;
  readonly #cells: Int32Array;

  /** @param cells two of them. @default those of the configuration that is being built */
  constructor({ max, perFill, fillMs }: TokenBucketOptions, cells = commonCells(2)) {
    this.#max = Math.min(max, MAX_TOKENS);
    this.#perFill = perFill;
    this.#fillMs = fillMs;
    this.#cells = cells;
  }

  get max(): number {
    return this.#max;
  }

  get perMs(): number {
    return this.#perFill / this.#fillMs;
  }

  get left(): number {
    return Math.max(0, this.#max - Atomics.load(this.#cells, USED));
  }

  /** Until tokens come next, of a bucket that has been asked for one. */
  msToFill(nowMs: number): number {
    const sinceMs = ((Math.floor(nowMs) | 0) - Atomics.load(this.#cells, FILLED)) | 0;
    return Math.min(this.#fillMs, Math.max(0, this.#fillMs - sinceMs));
  }

  /**
   * @param nowMs of a clock that all threads have
   * @returns false when there is none left
   */
  take(nowMs: number): boolean {
    const cells = this.#cells;
    this.#fill(Math.floor(nowMs) | 0);
    for (;;) {
      const used = Atomics.load(cells, USED);
      if (used >= this.#max) return false;
      if (Atomics.compareExchange(cells, USED, used, used + 1) === used) return true;
    }
  }

  #fill(now: number): void {
    const cells = this.#cells;
    const filled = Atomics.load(cells, FILLED);
    if (filled === 0) {
      Atomics.compareExchange(cells, FILLED, 0, now || 1);
      return;
    }
    const sinceMs = (now - filled) | 0;
    const fills = sinceMs < -SKEW_MS ? Number.POSITIVE_INFINITY : Math.floor(sinceMs / this.#fillMs);
    if (fills <= 0) return;
    const next = fills === Number.POSITIVE_INFINITY ? now : (filled + fills * this.#fillMs) | 0;
    // Who comes first fills for all.
    if (Atomics.compareExchange(cells, FILLED, filled, next || 1) !== filled) return;
    for (;;) {
      const used = Atomics.load(cells, USED);
      const left = Math.max(0, used - fills * this.#perFill);
      if (used === 0 || Atomics.compareExchange(cells, USED, used, left) === used) return;
    }
  }
}
