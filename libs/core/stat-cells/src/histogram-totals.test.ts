import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addHistograms,
  bucketBoundsMs,
  Histogram,
  type HistogramTotals,
  quantileMs,
  subtractHistogram,
} from "./index.ts";

function of(...durationsMs: number[]): HistogramTotals {
  const histogram = new Histogram();
  for (const ms of durationsMs) histogram.record(ms);
  return histogram.totals() ?? { counts: bucketBoundsMs.map(() => 0), sumMs: 0 };
}

test("a quantile lies in its bucket, as if what is there were spread evenly", () => {
  const totals = of(...Array.from({ length: 90 }, () => 3), ...Array.from({ length: 10 }, () => 200));
  assert.equal(quantileMs(totals, 0), 1);
  assert.equal(quantileMs(totals, 0.45), 3);
  assert.equal(quantileMs(totals, 0.9), 5);
  assert.equal(quantileMs(totals, 0.95), 175);
  assert.equal(quantileMs(totals, 1), 250);
  assert.equal(quantileMs(of(1e9), 0.5), 3_600_000);
  assert.ok(Number.isNaN(quantileMs(of(), 0.5)));
});

test("histograms are added, and what was there before is taken off", () => {
  const both = addHistograms(of(1, 2), of(2, 9000));
  assert.deepEqual(both, of(1, 2, 2, 9000));
  assert.deepEqual(subtractHistogram(both, of(1, 2)), of(2, 9000));
  assert.deepEqual(addHistograms(of(1), undefined), of(1));
  const anew = of(1);
  assert.equal(subtractHistogram(anew, of(1, 1)), anew);
});
