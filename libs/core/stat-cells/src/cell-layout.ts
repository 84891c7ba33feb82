import { Histogram, HISTOGRAM_CELLS } from "./histogram.ts";
import { NamedCounts } from "./named-counts.ts";
import { NumberedCounts } from "./numbered-counts.ts";

/**
 * A group of counters and gauges: a class whose fields are numbers that begin at 0. A field may also be another such group,
 * `NumberedCounts`, `NamedCounts` or a `Histogram`. Its constructor takes nothing.
 */
export interface StatClass<Group extends object> {
  new (): Group;
  /** Numbers that each thread sets to the same, so that their sum says nothing. @default none */
  readonly sameInAll?: readonly string[];
}

/** Where each field of a group is in the cells of a thread. */
export interface CellLayout {
  /** A sample of the group; never counted in. */
  readonly numbers: readonly string[];
  readonly numbered: readonly {
    readonly name: string;
    readonly at: number;
    readonly length: number;
    readonly first: number;
  }[];
  readonly named: readonly { readonly name: string; readonly at: number; readonly capacity: number }[];
  readonly histograms: readonly { readonly name: string; readonly at: number }[];
  readonly groups: readonly { readonly name: string; readonly at: number; readonly type: StatClass<object> }[];
  /** Cells of 8 bytes. */
  readonly size: number;
}

const layouts = new WeakMap<StatClass<object>, CellLayout>();

export function layoutOf(type: StatClass<object>): CellLayout {
  const known = layouts.get(type);
  if (known !== undefined) return known;
  const fields = Object.entries(new type()) as [string, unknown][];
  const numbers = fields.flatMap(([name, value]) => (typeof value === "number" ? [name] : []));
  const numbered = [];
  const named = [];
  const histograms = [];
  const groups = [];
  let at = numbers.length;
  for (const [name, value] of fields) {
    if (value instanceof NumberedCounts) {
      numbered.push({ name, at, length: value.length, first: value.first });
      at += value.length;
    } else if (value instanceof NamedCounts) {
      named.push({ name, at, capacity: value.capacity });
      at += value.capacity;
    } else if (value instanceof Histogram) {
      histograms.push({ name, at });
      at += HISTOGRAM_CELLS;
    } else if (typeof value === "object" && value !== null) {
      const inner = value.constructor as StatClass<object>;
      groups.push({ name, at, type: inner });
      at += layoutOf(inner).size;
    }
  }
  const layout = { numbers, numbered, named, histograms, groups, size: at };
  layouts.set(type, layout);
  return layout;
}

/** Cells of 8 bytes that a thread needs for such a group. */
export function cellsOf(type: StatClass<object>): number {
  return layoutOf(type).size;
}
