import type { StatBlock } from "./stat-block.ts";

/** Counters by a number below `length`, a status for example. Their cells are made for the first that is counted: most groups count none. */
export class NumberedCounts {
  readonly length: number;
  #cells: Uint32Array | undefined;

  /** @param cells zeros, where they are not to be this group's alone */
  constructor(length: number, cells?: Uint32Array) {
    this.length = length;
    this.#cells = cells;
  }

  count(number: number): void {
    const cells = (this.#cells ??= new Uint32Array(this.length));
    cells[number]!++;
  }

  /** Over all threads; nothing when nothing was counted. */
  totals(): Uint32Array {
    return this.#cells ?? new Uint32Array(0);
  }
}

/** Those of a thread, in its cells. */
export class CellNumberedCounts extends NumberedCounts {
  readonly #block: StatBlock;
  readonly #at: number;

  constructor(block: StatBlock, at: number, length: number) {
    super(length, new Uint32Array(block.memory, block.own.byteOffset + at * 8, length));
    this.#block = block;
    this.#at = at;
  }

  override totals(): Uint32Array {
    const sum = new Uint32Array(this.length);
    for (const { byteOffset } of this.#block.slices) {
      const cells = new Uint32Array(this.#block.memory, byteOffset + this.#at * 8, this.length);
      for (const [i, value] of cells.entries()) sum[i]! += value;
    }
    return sum;
  }
}
