const WINDOW_MS = 60_000;

/** How often workers may end by themselves within a minute before there is no use in starting them again. */
export const MAX_RESTARTS = 5;

export class Restarts {
  readonly #now: () => number;
  #recent: number[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns false when it was once too often */
  allow(): boolean {
    const now = this.#now();
    this.#recent = [...this.#recent.filter((at) => now - at < WINDOW_MS), now];
    return this.#recent.length <= MAX_RESTARTS;
  }
}
