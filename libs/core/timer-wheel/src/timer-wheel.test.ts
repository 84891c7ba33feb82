import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TimerWheel } from "./timer-wheel.ts";
import type { WheelTimer } from "./wheel-timer.ts";

const TICK_MS = 10;

/** A wheel of eight slots whose clock and interval are the test's. */
function wheelUnderTest(slots = 8) {
  let nowMs = 0;
  let look: (() => void) | undefined;
  const wheel = new TimerWheel({
    now: () => nowMs,
    tickMs: TICK_MS,
    slots,
    every(started) {
      assert.equal(look, undefined, "one interval for all");
      look = started;
      return () => (look = undefined);
    },
  });
  return {
    wheel,
    now: () => nowMs,
    isRunning: () => look !== undefined,
    /** Lets time go by with looks `stepMs` apart. */
    pass: (ms: number, stepMs = TICK_MS): void => {
      const end = nowMs + ms;
      while (nowMs < end) {
        nowMs = Math.min(end, nowMs + stepMs);
        look?.();
      }
    },
  };
}

test("tells a timer once, when its time has come, and stops when there is nothing left", () => {
  const { wheel, pass, isRunning } = wheelUnderTest();
  let told = 0;
  const timer = wheel.timer({ onDeadline: () => told++ });
  assert.equal(isRunning(), false);
  timer.deadlineMs = 25;
  assert.equal(isRunning(), true);
  pass(20);
  assert.equal(told, 0);
  pass(10);
  assert.equal(told, 1);
  assert.equal(timer.deadlineMs, Number.POSITIVE_INFINITY);
  assert.equal(isRunning(), false);
  pass(500);
  assert.equal(told, 1);
});

test("a deadline that is moved away, later or earlier is met where it was moved to", () => {
  const { wheel, pass, now, isRunning } = wheelUnderTest();
  const told: number[] = [];
  const timer = wheel.timer({ onDeadline: () => told.push(now()) });
  timer.deadlineMs = 50;
  timer.deadlineMs = Number.POSITIVE_INFINITY;
  pass(100);
  assert.equal(isRunning(), false);
  timer.deadlineMs = 150;
  pass(30);
  timer.deadlineMs = 300;
  pass(100);
  timer.deadlineMs = 260;
  pass(100);
  assert.deepEqual(told, [260]);
});

test("a timer that is cancelled is let go at once, and for good", () => {
  const { wheel, pass } = wheelUnderTest();
  const timer = wheel.timer({ onDeadline: () => assert.fail("was cancelled") });
  timer.deadlineMs = 50;
  assert.equal(wheel.armed, 1);
  timer.cancel();
  timer.cancel();
  timer.deadlineMs = 60;
  assert.equal(wheel.armed, 0);
  pass(100);
});

test("the time is the clock's while nothing runs, so that a deadline is not counted from an old look", () => {
  const { wheel, pass } = wheelUnderTest();
  pass(1000);
  assert.equal(wheel.nowMs, 1000);
});

test("a timer may arm itself again, and cancel its neighbours, while it is told", () => {
  const { wheel, pass } = wheelUnderTest();
  let told = 0;
  const first = wheel.timer({
    onDeadline() {
      told++;
      second.cancel();
      first.deadlineMs = wheel.nowMs;
    },
  });
  const second = wheel.timer({ onDeadline: () => assert.fail("its neighbour cancelled it") });
  first.deadlineMs = 15;
  second.deadlineMs = 15;
  pass(20);
  assert.equal(told, 1, "not again within the same look");
  pass(10);
  assert.equal(told, 2);
});

test("a timer that throws does not keep the others of its slot", () => {
  const { wheel, pass } = wheelUnderTest();
  let told = 0;
  wheel.timer({
    onDeadline() {
      throw new Error("a defect");
    },
  }).deadlineMs = 10;
  wheel.timer({ onDeadline: () => told++ }).deadlineMs = 10;
  assert.throws(() => pass(10), /a defect/);
  pass(10);
  assert.equal(told, 1);
});

test("closing forgets all timers", () => {
  const { wheel, pass, isRunning } = wheelUnderTest();
  for (let ms = 0; ms < 200; ms++) wheel.timer({ onDeadline: () => assert.fail("was closed") }).deadlineMs = ms;
  wheel.close();
  assert.equal(wheel.armed, 0);
  wheel.timer({ onDeadline: () => assert.fail("was closed") }).deadlineMs = 10;
  assert.equal(isRunning(), false);
  pass(300);
});

test("tells the same timers as a sorted list would, never early and at most two ticks late", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("arm" as const), timer: fc.nat(5), inMs: fc.integer({ min: -20, max: 400 }) }),
    fc.record({ kind: fc.constant("cancel" as const), timer: fc.nat(5) }),
    fc.record({ kind: fc.constant("away" as const), timer: fc.nat(5) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 300 }), stalls: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { wheel, pass, now, isRunning } = wheelUnderTest();
      const expected = new Map<number, number>();
      const timerOf = (index: number): WheelTimer =>
        wheel.timer({
          onDeadline() {
            const due = expected.get(index);
            assert.ok(due !== undefined && due <= now(), "told although not due");
            expected.delete(index);
          },
        });
      const timers = Array.from({ length: 6 }, (_, index) => timerOf(index));
      for (const it of steps) {
        if (it.kind === "arm") {
          expected.set(it.timer, now() + it.inMs);
          timers[it.timer]!.deadlineMs = now() + it.inMs;
        } else if (it.kind === "pass") {
          const armedBefore = now();
          pass(it.ms, it.stalls ? it.ms : TICK_MS);
          for (const due of expected.values()) {
            assert.ok(Math.max(due, armedBefore) > now() - 2 * TICK_MS, "told too late");
          }
        } else {
          expected.delete(it.timer);
          timers[it.timer]!.deadlineMs = Number.POSITIVE_INFINITY;
          if (it.kind === "cancel") {
            timers[it.timer]!.cancel();
            timers[it.timer] = timerOf(it.timer);
          }
        }
      }
      pass(1000);
      assert.equal(expected.size, 0);
      assert.equal(isRunning(), false);
    }),
    { numRuns: 300 },
  );
});
