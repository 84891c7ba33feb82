/** Something with a time at which it must be told. */
export interface Deadline {
  /** On the sweep's clock; `Infinity` for none. May be changed at any time: that is what makes it cheap. */
  deadlineMs: number;
  onDeadline(): void;
}

/**
 * Coarse time-outs for many connections and streams: one timer looks at all of them.
 *
 * Moving a deadline is an assignment, where a timer of its own would have to be re-armed for each message. Deadlines are
 * met with up to one interval of delay, so they are for protection (idle, slow heads), not for people's time-outs.
 */
export class DeadlineSweep {
  readonly #now: () => number;
  readonly #intervalMs: number;
  readonly #deadlines = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;
  #nowMs: number;

  constructor(options: { readonly now?: () => number; readonly intervalMs?: number } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#intervalMs = options.intervalMs ?? 100;
    this.#nowMs = this.#now();
  }

  /** The time of the last look, in milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  add(deadline: Deadline): void {
    this.#deadlines.add(deadline);
    if (this.#timer === undefined) {
      this.#nowMs = this.#now();
      this.#timer = setInterval(() => this.#look(), this.#intervalMs);
      this.#timer.unref();
    }
  }

  remove(deadline: Deadline): void {
    this.#deadlines.delete(deadline);
  }

  #look(): void {
    this.#nowMs = this.#now();
    for (const deadline of this.#deadlines) {
      if (deadline.deadlineMs <= this.#nowMs) deadline.onDeadline();
    }
    if (this.#deadlines.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
