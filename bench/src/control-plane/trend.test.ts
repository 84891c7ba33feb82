import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { trendOf } from "./trend.ts";

test("a line's slope and growth are found, whatever the points' order in time is spaced like", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.uniqueArray(fc.integer({ min: 0, max: 100_000 }), { minLength: 2, maxLength: 50 }),
      (slope, times) => {
        const points = times.toSorted((a, b) => a - b).map((atMs) => ({ atMs, value: 1_000_000 + slope * atMs }));
        const { slopePerHour, growth, mean } = trendOf(points);
        const gained = points.at(-1)!.value - points[0]!.value;
        assert.ok(Math.abs(slopePerHour - slope * 3_600_000) < 10);
        assert.ok(Math.abs(growth - gained / mean) < 1e-6);
      },
    ),
  );
});

test("noise around a level is no trend", () => {
  const points = Array.from({ length: 100 }, (_, index) => ({ atMs: index * 1000, value: 100 + (index % 2) }));
  assert.ok(Math.abs(trendOf(points).growth) < 0.001);
});
