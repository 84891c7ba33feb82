import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as check, double, property } from "fast-check";
import { bucketBoundsMs, Histogram, histogramsOf, SharedStats, SharedStatsOfThread } from "./index.ts";
import { bucketOf } from "./histogram-buckets.ts";

class Group {
  total = 0;
  readonly time = new Histogram();
  readonly other = new Histogram();
}

test("a duration is in the first bucket whose bound is not below it", () => {
  const searched = (ms: number): number => {
    const found = bucketBoundsMs.findIndex((bound) => ms <= bound);
    return found === -1 ? bucketBoundsMs.length : found;
  };
  for (const bound of bucketBoundsMs) {
    for (const ms of [bound, bound - 0.001, bound + 0.001]) assert.equal(bucketOf(ms), searched(ms), String(ms));
  }
  for (const ms of [0, -1, 1e9]) assert.equal(bucketOf(ms), searched(ms), String(ms));
  check(
    property(double({ min: 0, max: 4e6, noNaN: true }), (ms) => {
      assert.equal(bucketOf(ms), searched(ms));
    }),
  );
});

test("what was recorded is counted by buckets, and summed up", () => {
  const group = new Group();
  assert.deepEqual(histogramsOf(group), []);
  for (const ms of [0.25, 0.5, 7, 5000.5]) group.time.record(ms);
  const { counts, sumMs } = group.time.totals()!;
  assert.equal(sumMs, 5008.25);
  assert.deepEqual([counts[0], counts[3], counts[12], counts.length], [2, 1, 1, bucketBoundsMs.length + 1]);
  assert.deepEqual(
    histogramsOf(group).map(([name]) => name),
    ["time"],
  );
});

test("each thread records in its own cells, and the total is that of all", () => {
  const shared = new SharedStats(2);
  const control = shared.create("g", Group);
  const store = new SharedStatsOfThread(1, () => undefined);
  store.add(shared.all());
  const worker = store.create("g", Group);
  control.total += 3;
  worker.time.record(2);
  worker.time.record(3);
  control.time.record(60);
  worker.other.record(1e7);
  const { counts, sumMs } = control.time.totals()!;
  assert.deepEqual([sumMs, counts[2], counts[6]], [65, 2, 1]);
  assert.equal(control.other.totals()!.counts.at(-1), 1);
  assert.equal(control.total, 3);
  assert.deepEqual(
    histogramsOf(control).map(([name]) => name),
    ["time", "other"],
  );
});
