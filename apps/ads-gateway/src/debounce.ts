export interface DebounceOptions {
  /** Changes closer together than this are one. ms */
  readonly quietMs: number;
  /** The longest that a change is held back. ms */
  readonly maxMs: number;
  /** @param heldMs how long the first of the changes was held back */
  readonly fire: (heldMs: number) => void;
}

/**
 * Leading edge: fires at once for a lone change. Changes that follow closely are gathered until it is quiet, at most `maxMs`.
 *
 *   changes  x        x xx x x                    quietMs 3
 *   fires    x        x        x
 */
export class Debounce {
  readonly #options: DebounceOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Since when a change is held back; undefined = none is. */
  #heldSince: number | undefined;
  #lastChange = 0;

  constructor(options: DebounceOptions) {
    this.#options = options;
  }

  /** How long the first change has been held back; 0 when none is. ms */
  get heldMs(): number {
    return this.#heldSince === undefined ? 0 : Date.now() - this.#heldSince;
  }

  changed(): void {
    const now = Date.now();
    this.#lastChange = now;
    if (this.#timer === undefined) {
      this.#arm(this.#options.quietMs);
      this.#options.fire(0);
    } else {
      this.#heldSince ??= now;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#heldSince = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#look(), delayMs);
  }

  #look(): void {
    const now = Date.now();
    this.#timer = undefined;
    const quietAt = this.#lastChange + this.#options.quietMs;
    if (this.#heldSince === undefined) {
      if (quietAt > now) this.#arm(quietAt - now);
      return;
    }
    const fireAt = Math.min(quietAt, this.#heldSince + this.#options.maxMs);
    if (fireAt > now) {
      this.#arm(fireAt - now);
      return;
    }
    const heldMs = now - this.#heldSince;
    this.#heldSince = undefined;
    this.#arm(this.#options.quietMs);
    this.#options.fire(heldMs);
  }
}
