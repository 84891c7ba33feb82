/** What a route, virtual host or weighted cluster says about one filter of the listener. */
export interface FilterOverride {
  /** The filter lets its requests through. */
  readonly disabled: boolean;
  /** As the filter's own reader made it; undefined when it is only switched on or off. */
  readonly config: unknown;
  /** Of the next level that says anything about the filter: for those that do what all levels say. */
  readonly outer?: FilterOverride;
}

/** By the filter's name in the listener. */
export type FilterOverrides = ReadonlyMap<string, FilterOverride>;

export const noOverrides: FilterOverrides = new Map();

/** The most specific level wins, filter by filter. @param levels the most specific first */
export function mergeOverrides(levels: readonly (FilterOverrides | undefined)[]): FilterOverrides {
  const present = levels.filter((level) => level !== undefined && level.size > 0);
  if (present.length === 0) return noOverrides;
  const merged = new Map<string, FilterOverride>();
  for (const level of present.toReversed())
    for (const [name, override] of level ?? []) {
      const outer = merged.get(name);
      merged.set(name, outer === undefined ? override : { ...override, outer });
    }
  return merged;
}
