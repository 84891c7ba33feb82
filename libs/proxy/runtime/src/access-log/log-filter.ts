import type { StreamInfo } from "@fairlead/proxy-filter";

/** Whether a request, which is over, is logged. */
export type LogFilter = (info: StreamInfo) => boolean;

export type Comparison = "eq" | "ge" | "le";

export function compares(comparison: Comparison, value: number, wanted: number): boolean {
  switch (comparison) {
    case "eq":
      return value === wanted;
    case "ge":
      return value >= wanted;
    case "le":
      return value <= wanted;
  }
}

/** Any of these flags; none given = any at all. */
export function flagFilter(wanted: readonly string[]): LogFilter {
  return ({ flags }) => {
    if (flags === "") return false;
    return wanted.length === 0 || flags.split(",").some((flag) => wanted.includes(flag));
  };
}
