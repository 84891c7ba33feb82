/** Tokens that come back at a steady pace; each request takes one. */
export class TokenBucket {
  readonly #max: number;
  readonly #perFill: number;
  readonly #fillMs: number;
  #tokens: number;
  #filledMs: number;

  constructor(options: { readonly max: number; readonly perFill: number; readonly fillMs: number }, nowMs: number) {
    this.#max = options.max;
    this.#perFill = options.perFill;
    this.#fillMs = options.fillMs;
    this.#tokens = options.max;
    this.#filledMs = nowMs;
  }

  /** @returns false when there is none left */
  take(nowMs: number): boolean {
    const fills = Math.floor((nowMs - this.#filledMs) / this.#fillMs);
    if (fills > 0) {
      this.#tokens = Math.min(this.#max, this.#tokens + fills * this.#perFill);
      this.#filledMs += fills * this.#fillMs;
    }
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
