import assert from "node:assert/strict";
import { test } from "node:test";
import { ExactTimer } from "./exact-timer.ts";
import { MockedClock } from "./testing/mocked-clock.ts";
import { TimerWheel } from "./timer-wheel.ts";

const clock = new MockedClock();
const pass = (ms: number): void => clock.pass(ms);

function timerUnderTest(): { readonly timer: ExactTimer; readonly times: number[] } {
  const times: number[] = [];
  const wheel = new TimerWheel({ now: () => clock.nowMs });
  return { timer: new ExactTimer(wheel, () => times.push(clock.nowMs)), times };
}

test("it is met to the millisecond, near or far", () => {
  for (const ms of [1, 99, 200, 201, 999, 5003, 90_000]) {
    const { timer, times } = timerUnderTest();
    pass(37);
    const from = clock.nowMs;
    timer.start(ms);
    pass(ms + 500);
    assert.deepEqual(times, [from + ms]);
    assert.equal(timer.running, false);
  }
});

test("started again, it counts from then on", () => {
  const { timer, times } = timerUnderTest();
  timer.start(1000);
  pass(950);
  timer.start(1000);
  pass(900);
  timer.start(100);
  pass(50);
  assert.deepEqual(times, []);
  pass(1000);
  assert.deepEqual(times, [1950]);
});

test("stopped far from its time, or near to it, it is not met", () => {
  for (const ms of [100, 950]) {
    const { timer, times } = timerUnderTest();
    timer.start(1000);
    pass(ms);
    timer.stop();
    pass(2000);
    assert.deepEqual(times, []);
    timer.start(10);
    pass(10);
    assert.equal(times.length, 1);
    timer.start(1000);
    pass(ms);
    timer.cancel();
    pass(2000);
    assert.equal(times.length, 1);
  }
});
