import { z } from "zod";

/** The query parameters of a list that may be long. */
export const pageQuery = (defaultLimit: number, maxLimit: number) => ({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxLimit)
    .default(defaultLimit)
    .describe(`Entries of one answer, at most ${maxLimit}.`),
  after: z.string().max(1024).optional().describe("Goes on behind the `next` of the answer before."),
});

export const nextOfPage = z
  .string()
  .nullable()
  .describe("To be passed as `after` for the rest; null when there is no more.");

export interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly next: string | null;
}

/** @param sorted ascending by their mark, which no two share */
export function pageOf<Entry>(
  sorted: Iterable<Entry>,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
  markOf: (entry: Entry) => string,
  compare: (a: string, b: string) => number = compareText,
): Page<Entry> {
  const entries: Entry[] = [];
  for (const entry of sorted) {
    if (after !== undefined && compare(markOf(entry), after) <= 0) continue;
    const last = entries.at(-1);
    if (entries.length === limit && last !== undefined) return { entries, next: markOf(last) };
    entries.push(entry);
  }
  return { entries, next: null };
}

export function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

export function compareNumbers(a: string, b: string): number {
  return Number(a) - Number(b);
}
