import type { StatBlock } from "./stat-block.ts";

/**
 * Counters by a number, a status for example. Their cells are made for the first that is counted: most groups count none. They are
 * doubles, exact up to 2^53: at 32 bits a busy proxy's would begin anew after some days.
 */
export class NumberedCounts {
  readonly length: number;
  readonly first: number;
  #cells: Float64Array | undefined;

  /**
   * @param length how many numbers there are
   * @param first the least of them; what is not one of them is not counted
   */
  constructor(length: number, first = 0) {
    this.length = length;
    this.first = first;
  }

  count(number: number): void {
    const cells = (this.#cells ??= this.createCells());
    cells[number - this.first]!++;
  }

  /** Over all threads, from the first number on; nothing when nothing was counted. */
  totals(): Float64Array {
    return this.#cells ?? new Float64Array(0);
  }

  protected createCells(): Float64Array {
    return new Float64Array(this.length);
  }
}

/** Those of a thread, in its cells. */
export class CellNumberedCounts extends NumberedCounts {
  readonly #block: StatBlock;
  readonly #at: number;

  constructor(block: StatBlock, at: number, { length, first }: { readonly length: number; readonly first: number }) {
    super(length, first);
    this.#block = block;
    this.#at = at;
  }

  override totals(): Float64Array {
    const sum = new Float64Array(this.length);
    for (const slice of this.#block.slices) {
      for (const [i, value] of this.#cellsOf(slice).entries()) sum[i]! += value;
    }
    return sum;
  }

  protected override createCells(): Float64Array {
    return this.#cellsOf(this.#block.own);
  }

  #cellsOf(slice: Float64Array): Float64Array {
    return slice.subarray(this.#at, this.#at + this.length);
  }
}
