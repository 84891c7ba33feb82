import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as check, double, integer, property } from "fast-check";
import { ResponseDrain, type ServerHealth } from "./response-drain.ts";

test("the share of responses that close grows with the time", () => {
  check(
    property(
      integer({ min: 1, max: 60_000 }),
      integer({ min: 0, max: 120_000 }),
      double({ min: 0, max: 0.999_999, noNaN: true }),
      (durationMs, elapsedMs, chance) => {
        let nowMs = 1000;
        const drain = new ResponseDrain({ now: () => nowMs, random: () => chance });
        assert.equal(drain.active, false);
        drain.start(durationMs);
        nowMs += elapsedMs;
        assert.equal(drain.active, true);
        assert.equal(drain.closes(), chance * durationMs < elapsedMs);
        if (elapsedMs >= durationMs) assert(drain.closes());
        if (elapsedMs === 0) assert(!drain.closes());
      },
    ),
  );
});

test("a drain that has begun is not put off by another one, and may be shortened", () => {
  let nowMs = 0;
  const drain = new ResponseDrain({ now: () => nowMs, random: () => 0.5 });
  drain.start(1000);
  nowMs = 400;
  drain.start(1000);
  nowMs = 501;
  assert(drain.closes());
  const other = new ResponseDrain({ now: () => nowMs, random: () => 0.999 });
  other.start(1000);
  other.start(0);
  nowMs = 502;
  assert(other.closes());
});

test("while the health check fails, every response closes", () => {
  const health: ServerHealth = { failed: false };
  const drain = new ResponseDrain({ health, now: () => 0, random: () => 0.999 });
  assert.equal(drain.active, false);
  health.failed = true;
  assert.deepEqual([drain.active, drain.closes()], [true, true]);
});
