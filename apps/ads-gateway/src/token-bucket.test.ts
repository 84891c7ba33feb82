import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TokenBucket } from "./token-bucket.ts";

test("a burst passes, then so many a second, in the order of asking", () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3, now: () => now });
  assert.deepEqual(
    Array.from({ length: 6 }, () => bucket.reserve(250)),
    [0, 0, 0, 100, 200, undefined],
  );
  now = 100;
  assert.equal(bucket.reserve(250), 200);
  now = 10_000;
  assert.equal(bucket.waitMs, 0);
});

test("whenever it is asked, no more than burst + time × rate are let through", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (all, perSecond, burst) => {
      let now = 0;
      const bucket = new TokenBucket({ perSecond, burst, now: () => now });
      const passedAt: number[] = [];
      for (const gap of all) {
        now += gap;
        const waitMs = bucket.reserve(1000);
        if (waitMs !== undefined) passedAt.push(now + waitMs);
      }
      passedAt.forEach((at, index) => {
        assert.ok(index + 1 <= burst + (at * perSecond) / 1000 + 1e-6, `${index + 1} by ${at} ms`);
      });
    }),
  );
});
