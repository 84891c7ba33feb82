import type { StatBlock } from "./stat-block.ts";

const DEFAULT_CAPACITY = 64;

/** Counters whose names are known only when they are counted. */
export class NamedCounts {
  readonly capacity: number;
  /** Made for the first name: most groups count none. */
  #values: Map<string, number> | undefined;

  /** @param capacity names that threads can share; what is counted beyond is seen by its own thread alone */
  constructor(capacity = DEFAULT_CAPACITY) {
    this.capacity = capacity;
  }

  count(name: string, by = 1): void {
    const values = (this.#values ??= new Map());
    values.set(name, (values.get(name) ?? 0) + by);
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: number]> {
    return this.entries()[Symbol.iterator]();
  }

  /** Over all threads. */
  entries(): Iterable<readonly [name: string, value: number]> {
    return this.#values ?? [];
  }
}

/** Those of a thread, in its cells: the first use of a name gives it a cell, and tells the others which. */
export class CellNamedCounts extends NamedCounts {
  readonly #block: StatBlock;
  readonly #at: number;
  readonly #cells: Float64Array;
  readonly #indexes = new Map<string, number>();

  constructor(block: StatBlock, at: number, capacity: number) {
    super(capacity);
    this.#block = block;
    this.#at = at;
    this.#cells = block.own;
    for (const [cell, name] of block.namesOf(block.thread))
      if (cell >= at && cell < at + capacity) this.#indexes.set(name, cell);
  }

  override count(name: string, by = 1): void {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      if (this.#indexes.size >= this.capacity) return super.count(name, by);
      index = this.#at + this.#indexes.size;
      this.#indexes.set(name, index);
      this.#block.nameCell(index, name);
    }
    this.#cells[index]! += by;
  }

  override *entries(): Iterable<readonly [name: string, value: number]> {
    const sums = new Map<string, number>(super.entries());
    for (const [thread, cells] of this.#block.slices.entries()) {
      for (const [cell, name] of this.#block.namesOf(thread)) {
        if (cell < this.#at || cell >= this.#at + this.capacity) continue;
        sums.set(name, (sums.get(name) ?? 0) + (cells[cell] ?? 0));
      }
    }
    yield* sums;
  }
}
