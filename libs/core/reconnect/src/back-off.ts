export interface BackOffOptions {
  /** Upper bound of the first delay, in milliseconds. @default 500 (Envoy) */
  readonly baseMs?: number;
  /** Upper bound of every delay, in milliseconds. @default 5000, well within a `?wait=converged` */
  readonly maxMs?: number;
  /** Of each upper bound, the share that is waited in any case: 0 to 1. @default 0 */
  readonly leastShare?: number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/**
 * Exponential back-off with full jitter: the n-th delay is uniform in [0, min(maxMs, baseMs · 2ⁿ)), so that proxies which
 * lost the same gateway do not come back in step. Where few come back, and none is to come too often, a share of it is certain.
 */
export class BackOff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #leastShare: number;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: BackOffOptions = {}) {
    this.#baseMs = options.baseMs ?? 500;
    this.#maxMs = options.maxMs ?? 5_000;
    this.#leastShare = options.leastShare ?? 0;
    this.#random = options.random ?? Math.random;
  }

  /** The next delay, in milliseconds. */
  nextMs(): number {
    const bound = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#attempt);
    if (bound < this.#maxMs) this.#attempt += 1;
    return (this.#leastShare + (1 - this.#leastShare) * this.#random()) * bound;
  }

  /** As the first delay, without counting as an attempt. */
  shortMs(): number {
    return this.#random() * this.#baseMs;
  }

  /** After a success that did not last: the next delays are short again, but not as short as the first. */
  ease(): void {
    this.#attempt = Math.min(this.#attempt, 1);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
