export interface TokenBucketOptions {
  /** Tokens that come back in a second. */
  readonly perSecond: number;
  /** Tokens that there are at most, and at the start. */
  readonly burst: number;
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number;
}

/** Lets so many through a second. What is reserved ahead of time is paid off before the next one gets a token. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #now: () => number;
  /** Negative: reserved ahead. */
  #tokens: number;
  #countedAt: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#tokens = options.burst;
    this.#countedAt = this.#now();
  }

  /** How long one has to wait for a token, ms; 0 = not at all. Takes nothing. */
  get waitMs(): number {
    this.#count();
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#options.perSecond);
  }

  /** Takes a token that there is, or that there will be after the time. @returns ms to wait; undefined when it would be longer than `maxWaitMs`, and nothing is taken */
  reserve(maxWaitMs: number): number | undefined {
    const waitMs = this.waitMs;
    if (waitMs > maxWaitMs) return undefined;
    this.#tokens--;
    return waitMs;
  }

  #count(): void {
    const now = this.#now();
    const { perSecond, burst } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#countedAt) * perSecond) / 1000);
    this.#countedAt = now;
  }
}
