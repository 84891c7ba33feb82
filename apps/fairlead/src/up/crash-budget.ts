/** How often something may crash before it is left alone. */
export class CrashBudget {
  readonly #crashes: number;
  readonly #withinMs: number;
  readonly #now: () => number;
  #spentAtMs: number[] = [];

  constructor(
    options: { readonly crashes: number; readonly withinMs: number },
    now: () => number = () => performance.now(),
  ) {
    this.#crashes = options.crashes;
    this.#withinMs = options.withinMs;
    this.#now = now;
  }

  /** @returns false when this one is too much */
  spend(): boolean {
    const now = this.#now();
    this.#spentAtMs = this.#spentAtMs.filter((at) => now - at < this.#withinMs);
    if (this.#spentAtMs.length >= this.#crashes) return false;
    this.#spentAtMs.push(now);
    return true;
  }
}
