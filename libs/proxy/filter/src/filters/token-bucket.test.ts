import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TokenBucket } from "./token-bucket.ts";

function takes(bucket: TokenBucket, nowMs: number, count: number): number {
  let taken = 0;
  for (let i = 0; i < count; i++) if (bucket.take(nowMs)) taken++;
  return taken;
}

test("tokens come back at their pace, and never more than fit", () => {
  const bucket = new TokenBucket({ max: 3, perFill: 2, fillMs: 100 });
  const start = 5000;
  assert.deepEqual(
    [0, 99, 100, 150, 199, 200, 10_000].map((ms) => takes(bucket, start + ms, 5)),
    [3, 0, 2, 0, 0, 2, 3],
  );
});

test("buckets of the same cells are one, whoever is asked", () => {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const options = { max: 4, perFill: 4, fillMs: 100 };
  const [a, b] = [new TokenBucket(options, cells), new TokenBucket(options, cells)];
  assert.equal(takes(a, 1000, 3) + takes(b, 1000.5, 3), 4);
  // The clock of one may be a little behind.
  assert.equal(takes(b, 999, 1), 0);
  assert.equal(takes(b, 1100, 3) + takes(a, 1099, 3), 4);
});

test("a clock that runs over, and a long rest, leave a full bucket", () => {
  const bucket = new TokenBucket({ max: 2, perFill: 1, fillMs: 1000 });
  const day = 86_400_000;
  for (const ms of [
    2 ** 31 - 500,
    2 ** 31 + 10_000,
    2 ** 32 - 1,
    2 ** 32 + 10_000,
    2 ** 32 + 30 * day,
    2 ** 32 + 90 * day,
  ])
    assert.equal(takes(bucket, ms, 5), 2, String(ms));
});

test("no more is given than there was, and came since", () => {
  const steps = fc.array(fc.tuple(fc.nat(300), fc.nat(5)), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), steps, (max, perFill, asked) => {
      const bucket = new TokenBucket({ max, perFill, fillMs: 100 });
      let now = 1;
      let taken = 0;
      for (const [ms, count] of asked) {
        now += ms;
        const got = takes(bucket, now, count);
        assert.ok(got <= max);
        taken += got;
      }
      const fills = Math.floor((now - 1) / 100);
      assert.ok(taken <= max + fills * perFill);
    }),
  );
});

test("it says how much is left, and when more comes", () => {
  const bucket = new TokenBucket({ max: 3, perFill: 2, fillMs: 100 });
  bucket.take(1000);
  bucket.take(1030);
  assert.deepEqual([bucket.left, bucket.msToFill(1030), bucket.msToFill(1130)], [1, 70, 0]);
});
