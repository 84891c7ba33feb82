import { type CellLayout, layoutOf, type StatClass } from "./cell-layout.ts";
import { CellHistogram } from "./histogram.ts";
import { CellNamedCounts } from "./named-counts.ts";
import { CellNumberedCounts } from "./numbered-counts.ts";
import type { StatBlock } from "./stat-block.ts";

/** A group in cells: its numbers are accessors of its prototype, which V8 inlines (docs/decisions/0012-worker-threads.md has the figures). */
export interface CellGroup {
  readonly [statBlock]: StatBlock;
  readonly [firstCell]: number;
  readonly [layout]: CellLayout;
  readonly [groupClass]: StatClass<object>;
}

export const statBlock = Symbol("statBlock");
export const firstCell = Symbol("firstCell");
export const layout = Symbol("layout");
export const groupClass = Symbol("groupClass");

type CellClass = new (block: StatBlock, at: number) => object;

const cellClasses = new WeakMap<StatClass<object>, CellClass>();

/**
 * The same as `new type()`, with its numbers in the thread's cells of the block.
 *
 * @param at the first of its cells
 */
export function cellBacked<Group extends object>(type: StatClass<Group>, block: StatBlock, at = 0): Group {
  let cellClass = cellClasses.get(type);
  if (cellClass === undefined) {
    cellClass = createCellClass(type);
    cellClasses.set(type, cellClass);
  }
  return new cellClass(block, at) as Group;
}

function createCellClass(type: StatClass<object>): CellClass {
  const fields = layoutOf(type);
  class Cells {
    readonly cells: Float64Array;
    readonly [statBlock]: StatBlock;
    readonly [firstCell]: number;

    constructor(block: StatBlock, at: number) {
      this.cells = block.own.subarray(at, at + fields.size);
      this[statBlock] = block;
      this[firstCell] = at;
      const others: Record<string, unknown> = {};
      for (const array of fields.numbered) others[array.name] = new CellNumberedCounts(block, at + array.at, array);
      for (const named of fields.named) others[named.name] = new CellNamedCounts(block, at + named.at, named.capacity);
      for (const histogram of fields.histograms) others[histogram.name] = new CellHistogram(block, at + histogram.at);
      for (const group of fields.groups) others[group.name] = cellBacked(group.type, block, at + group.at);
      Object.assign(this, others);
    }
  }
  // Methods are those of the class itself; its constructor, which would make fields of the numbers, does not run.
  Object.setPrototypeOf(Cells.prototype, type.prototype as object);
  for (const [index, name] of fields.numbers.entries()) {
    Object.defineProperty(Cells.prototype, name, {
      get(this: Cells) {
        return this.cells[index];
      },
      set(this: Cells, value: number) {
        this.cells[index] = value;
      },
    });
  }
  Object.defineProperty(Cells.prototype, layout, { value: fields });
  Object.defineProperty(Cells.prototype, groupClass, { value: type });
  return Cells;
}

export function isCellGroup(group: object): group is CellGroup {
  return statBlock in group;
}
