import { type CellGroup, firstCell, groupClass, isCellGroup, layout, statBlock } from "./cell-backed.ts";
import type { StatClass } from "./cell-layout.ts";
import { Histogram, type HistogramTotals } from "./histogram.ts";

type TotalClass = new (group: CellGroup) => object;
const totalClasses = new WeakMap<StatClass<object>, TotalClass>();

/**
 * The same numbers over all threads, always as they are now; read only. A group that is not in cells is its own total, so that one
 * thread alone pays nothing. What has several parts (a group in the group, counts) has no total here.
 */
export function totalOf<Group extends object>(group: Group): Readonly<Group> {
  if (!isCellGroup(group)) return group;
  const type = group[groupClass];
  let totalClass = totalClasses.get(type);
  if (totalClass === undefined) {
    totalClass = createTotalClass(group[layout].numbers, type.sameInAll ?? []);
    totalClasses.set(type, totalClass);
  }
  return new totalClass(group) as Readonly<Group>;
}

/** The numbers of the group itself over all threads, by name. */
export function numbersOf(group: object): (readonly [name: string, value: number])[] {
  if (!isCellGroup(group))
    return Object.entries(group).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  const total = totalOf(group) as unknown as Readonly<Record<string, number>>;
  return group[layout].numbers.map((name) => [name, total[name]!] as const);
}

/** The histograms of the group itself that have recorded anything, over all threads, by name. */
export function histogramsOf(group: object): (readonly [name: string, totals: HistogramTotals])[] {
  const found: (readonly [string, HistogramTotals])[] = [];
  for (const [name, field] of Object.entries(group) as [string, unknown][]) {
    const totals = field instanceof Histogram ? field.totals() : undefined;
    if (totals !== undefined) found.push([name, totals]);
  }
  return found;
}

function createTotalClass(names: readonly string[], sameInAll: readonly string[]): TotalClass {
  class Total {
    readonly slices: readonly Float64Array[];
    readonly at: number;

    constructor(group: CellGroup) {
      this.slices = group[statBlock].slices;
      this.at = group[firstCell];
    }
  }
  for (const [index, name] of names.entries()) {
    const sum = function (this: Total): number {
      let total = 0;
      for (const cells of this.slices) total += cells[this.at + index]!;
      return total;
    };
    const most = function (this: Total): number {
      return Math.max(...this.slices.map((cells) => cells[this.at + index]!));
    };
    Object.defineProperty(Total.prototype, name, { get: sameInAll.includes(name) ? most : sum });
  }
  return Total;
}
