import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as check, integer, property } from "fast-check";
import { RevisionGap } from "./index.ts";

test("the first revision is next, whatever it is; with a revision to start from it may be a gap", () => {
  assert.equal(new RevisionGap().observe(17), "next");
  assert.equal(new RevisionGap(15).observe(17), "gap");
  assert.equal(new RevisionGap(16).observe(17), "next");
});

test("a message that covers several revisions leaves a gap only when it begins after the last one", () => {
  const gap = new RevisionGap(10);
  assert.equal(gap.observe(14, 10), "next");
  assert.equal(gap.observe(16, 13), "next");
  assert.equal(gap.observe(20, 17), "gap");
  assert.equal(gap.last, 20);
});

test("property: a reader that catches up at each gap has applied every revision up to the newest it saw", () => {
  check(
    property(array(integer({ min: 1, max: 30 }), { maxLength: 60 }), (revisions) => {
      const gap = new RevisionGap(0);
      const applied = new Set<number>();
      for (const revision of revisions) {
        const before = gap.last!;
        const step = gap.observe(revision);
        if (step === "next") applied.add(revision);
        if (step === "gap") for (let missed = before + 1; missed <= revision; missed++) applied.add(missed);
        assert.equal(gap.last, Math.max(before, revision));
      }
      assert.equal(applied.size, Math.max(0, ...revisions));
    }),
  );
});
