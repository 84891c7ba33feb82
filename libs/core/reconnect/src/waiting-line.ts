/** Who waits for a turn, in order. Taking the first costs the same however many wait: an array would move them all. */
export class WaitingLine {
  #waiting: (() => void)[] = [];
  #next = 0;

  join(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** It is the first one's turn. @returns false when nobody waits */
  callNext(): boolean {
    const first = this.#waiting[this.#next];
    if (first === undefined) return false;
    this.#next++;
    if (this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    first();
    return true;
  }

  /** @returns how many */
  callAll(): number {
    const waiting = this.#waiting.slice(this.#next);
    this.#waiting = [];
    this.#next = 0;
    for (const each of waiting) each();
    return waiting.length;
  }
}
