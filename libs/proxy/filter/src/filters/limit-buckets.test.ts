import assert from "node:assert/strict";
import { test } from "node:test";
import { descriptorEntry } from "@fairlead/proxy-router";
import { LimitBuckets } from "./limit-buckets.ts";

const tokens = (max: number, perFill = 1): { max: number; perFill: number; fillMs: number } => ({
  max,
  perFill,
  fillMs: 1000,
});
const user = descriptorEntry("user", "anna");
const userAndPath = user + descriptorEntry("path", "/");

test("a request takes from the buckets of all that it counts as, and from that of all", () => {
  const buckets = new LimitBuckets({ bucket: tokens(3), descriptors: new Map([[user, tokens(2)]]) });
  assert.deepEqual(
    [1, 2, 3].map(() => buckets.takeFor([user], 1).allowed),
    [true, true, false],
  );
  // Two of three are gone; the refusal took none.
  assert.deepEqual(
    [1, 2].map(() => buckets.takeFor([], 1).allowed),
    [true, false],
  );
});

test("where only requests without a descriptor take from the bucket of all, others do not", () => {
  const buckets = new LimitBuckets({
    bucket: tokens(1),
    descriptors: new Map([[user, tokens(2)]]),
    onlyWithoutMatch: true,
  });
  assert.deepEqual(
    [[user], [user], ["other"], ["other"], [user]].map((descriptors) => buckets.takeFor(descriptors, 1).allowed),
    [true, true, true, false, false],
  );
});

test("the slowest is asked first, of equal ones the longest; what says no keeps the others' tokens", () => {
  const buckets = new LimitBuckets({
    bucket: tokens(9),
    descriptors: new Map([
      [user, tokens(5)],
      [userAndPath, tokens(1)],
      ["fast", tokens(1, 9)],
    ]),
  });
  assert.equal(buckets.takeFor([user, userAndPath], 1).bucket.max, 1);
  const refused = buckets.takeFor(["fast", user, userAndPath], 1);
  assert.deepEqual([refused.allowed, refused.bucket.max, refused.bucket.left], [false, 1, 0]);
  assert.equal(buckets.takeFor(["fast"], 1).allowed, true, "its token was kept");
  assert.equal(buckets.takeFor([user], 1).bucket.left, 3);
});

test("a descriptor that a request has twice takes one token", () => {
  const buckets = new LimitBuckets({ bucket: tokens(9), descriptors: new Map([[user, tokens(2)]]) });
  assert.equal(buckets.takeFor([user, user], 1).bucket.left, 1);
});
