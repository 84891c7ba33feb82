import { bucketBoundsMs, bucketOf } from "./histogram-buckets.ts";
import type { StatBlock } from "./stat-block.ts";

/** What was recorded, over all threads. */
export interface HistogramTotals {
  /** How often each bucket was met, the one behind the last bound included. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

const BUCKETS = bucketBoundsMs.length + 1;
/** The cell behind those of the buckets. */
const SUM = BUCKETS;
/** Of 8 bytes: the buckets, and the sum. */
export const HISTOGRAM_CELLS = BUCKETS + 1;

/** Durations. Its cells are made for the first that is recorded: most groups record none. */
export class Histogram {
  #cells: Float64Array | undefined;

  /** On the way of each request: a look-up and two additions. */
  record(ms: number): void {
    const cells = (this.#cells ??= this.createCells());
    cells[bucketOf(ms)]! += 1;
    cells[SUM]! += ms;
  }

  /** @returns undefined when nothing was recorded */
  totals(): HistogramTotals | undefined {
    return totalsOf(this.#cells === undefined ? [] : [this.#cells]);
  }

  protected createCells(): Float64Array {
    return new Float64Array(HISTOGRAM_CELLS);
  }
}

/** That of a thread, in its cells. */
export class CellHistogram extends Histogram {
  readonly #block: StatBlock;
  readonly #at: number;

  constructor(block: StatBlock, at: number) {
    super();
    this.#block = block;
    this.#at = at;
  }

  override totals(): HistogramTotals | undefined {
    return totalsOf(this.#block.slices.map((slice) => slice.subarray(this.#at, this.#at + HISTOGRAM_CELLS)));
  }

  protected override createCells(): Float64Array {
    return this.#block.own.subarray(this.#at, this.#at + HISTOGRAM_CELLS);
  }
}

function totalsOf(slices: readonly Float64Array[]): HistogramTotals | undefined {
  const sums = new Float64Array(HISTOGRAM_CELLS);
  let recorded = false;
  for (const cells of slices) {
    for (const [cell, value] of cells.entries()) {
      sums[cell]! += value;
      recorded ||= value !== 0;
    }
  }
  return recorded ? { counts: [...sums.subarray(0, BUCKETS)], sumMs: sums[SUM]! } : undefined;
}
