import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { type Deadline, DeadlineSweep } from "./deadline-sweep.ts";

test("tells what is due at the next look, and only looks while there is something", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  let now = 0;
  const pass = (ms: number): void => {
    now += ms;
    mock.timers.tick(ms);
  };
  const sweep = new DeadlineSweep({ now: () => now, intervalMs: 100 });
  let told = 0;
  const deadline: Deadline = {
    deadlineMs: 250,
    onDeadline() {
      told++;
      sweep.remove(deadline);
    },
  };
  sweep.add(deadline);
  pass(100);
  pass(100);
  assert.equal(told, 0);
  deadline.deadlineMs = 350;
  pass(100);
  assert.equal(told, 0);
  pass(100);
  assert.equal(told, 1);
  pass(100);
  const stopped = sweep.nowMs;
  pass(500);
  assert.equal(sweep.nowMs, stopped);
  sweep.add({ deadlineMs: Number.POSITIVE_INFINITY, onDeadline: () => assert.fail() });
  assert.equal(sweep.nowMs, now);
  mock.timers.reset();
});
