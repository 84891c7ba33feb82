import type { StatBlock } from "./stat-block.ts";

/** Counters by a number, a status for example. Their cells are made for the first that is counted: most groups count none. */
export class NumberedCounts {
  readonly length: number;
  readonly first: number;
  #cells: Uint32Array | undefined;

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
  totals(): Uint32Array {
    return this.#cells ?? new Uint32Array(0);
  }

  protected createCells(): Uint32Array {
    return new Uint32Array(this.length);
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

  override totals(): Uint32Array {
    const sum = new Uint32Array(this.length);
    for (const slice of this.#block.slices) {
      for (const [i, value] of this.#cellsOf(slice).entries()) sum[i]! += value;
    }
    return sum;
  }

  protected override createCells(): Uint32Array {
    return this.#cellsOf(this.#block.own);
  }

  #cellsOf(slice: Float64Array): Uint32Array {
    return new Uint32Array(this.#block.memory, slice.byteOffset + this.#at * 8, this.length);
  }
}
