import { bucketBoundsMs } from "./histogram-buckets.ts";
import type { HistogramTotals } from "./histogram.ts";

/** Of two that have counted different things. */
export function addHistograms(a: HistogramTotals, b: HistogramTotals | undefined): HistogramTotals {
  if (b === undefined) return a;
  return { counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)), sumMs: a.sumMs + b.sumMs };
}

/** What has come since. @returns `now` when it has begun anew itself */
export function subtractHistogram(now: HistogramTotals, before: HistogramTotals): HistogramTotals {
  const counts = now.counts.map((count, i) => count - (before.counts[i] ?? 0));
  return counts.some((count) => count < 0) ? now : { counts, sumMs: now.sumMs - before.sumMs };
}

/**
 * As if what is in a bucket were spread evenly over it. What is behind the last bound counts as that bound.
 *
 * @param share 0 to 1
 * @returns in milliseconds; NaN when nothing was recorded
 */
export function quantileMs({ counts }: HistogramTotals, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  const wanted = share * total;
  let passed = 0;
  let least = 0;
  for (const [bucket, bound] of bucketBoundsMs.entries()) {
    const count = counts[bucket] ?? 0;
    if (count > 0 && passed + count >= wanted) return least + ((bound - least) * (wanted - passed)) / count;
    passed += count;
    least = bound;
  }
  return least;
}
