/** Upper bounds, each with the bound itself, in milliseconds: Envoy's default. What takes longer is in one more bucket. */
export const bucketBoundsMs: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** Up to here a bucket is looked up: what most requests take. */
const TABLE_MS = 1000;
/** By half milliseconds, rounded up: all bounds are multiples of them. */
const table = Uint8Array.from({ length: TABLE_MS * 2 + 1 }, (_, halves) =>
  bucketBoundsMs.findIndex((bound) => halves <= bound * 2),
);
const firstBehindTable = table[TABLE_MS * 2]! + 1;

export function bucketOf(ms: number): number {
  const halves = Math.ceil(ms * 2);
  if (halves <= TABLE_MS * 2) return halves > 0 ? table[halves]! : 0;
  let bucket = firstBehindTable;
  while (bucket < bucketBoundsMs.length && ms > bucketBoundsMs[bucket]!) bucket++;
  return bucket;
}
