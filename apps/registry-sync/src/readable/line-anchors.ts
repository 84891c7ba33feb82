/** A line that two texts have in common, by its index in each. */
export interface Anchor {
  readonly before: number;
  readonly after: number;
}

/** Lines that are in a text once, with their index. */
function singles(lines: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const [index, line] of lines.entries()) found.set(line, found.has(line) ? -1 : index);
  return found;
}

/**
 * Lines that are once in each text and in the same order in both, as many as there are (a patience diff's first step): between two of
 * them, two long texts can be compared piece by piece.
 */
export function lineAnchors(before: readonly string[], after: readonly string[]): Anchor[] {
  const inAfter = singles(after);
  const common = [...singles(before)].flatMap(([line, index]) => {
    const other = inAfter.get(line) ?? -1;
    return index < 0 || other < 0 ? [] : [{ before: index, after: other }];
  });
  common.sort((a, b) => a.before - b.before);
  // The longest run that rises in `after`, by piles: each remembers the top of the pile before it.
  interface Card extends Anchor {
    readonly below: Card | undefined;
  }
  const tops: Card[] = [];
  for (const anchor of common) {
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tops[middle]!.after < anchor.after) low = middle + 1;
      else high = middle;
    }
    tops[low] = { ...anchor, below: tops[low - 1] };
  }
  const run: Anchor[] = [];
  for (let card = tops.at(-1); card !== undefined; card = card.below) run.push(card);
  return run.toReversed();
}
