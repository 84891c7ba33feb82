/**
 * Gauges that each thread moves and all threads see the sum of: for limits of what is open at the same time. A thread writes cells of
 * its own only, so that what it had can be taken off when it dies.
 */
export class CommonGauges {
  readonly #cells: Int32Array;
  readonly #count: number;
  readonly #own: number;

  /**
   * @param cells `count` of each thread, one thread after the other
   * @param thread the index of the one that counts here
   */
  constructor(cells: Int32Array, count: number, thread: number) {
    this.#cells = cells;
    this.#count = count;
    this.#own = thread * count;
  }

  add(gauge: number, by: number): void {
    this.#cells[this.#own + gauge]! += by;
  }

  /** Over all threads. */
  total(gauge: number): number {
    let total = 0;
    for (let at = gauge; at < this.#cells.length; at += this.#count) total += this.#cells[at]!;
    return total;
  }
}
