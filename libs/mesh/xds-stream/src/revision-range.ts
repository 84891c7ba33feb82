/** Registry revisions, both ends included. */
export interface RevisionRange {
  readonly first: number;
  readonly last: number;
}

/** The smallest range that holds both. */
export function unionOf(a: RevisionRange | undefined, b: RevisionRange | undefined): RevisionRange | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { first: Math.min(a.first, b.first), last: Math.max(a.last, b.last) };
}
