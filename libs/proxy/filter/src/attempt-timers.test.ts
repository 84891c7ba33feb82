import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import { MockedClock } from "@fairlead/timer-wheel/testing";
import { AttemptTimers } from "./attempt-timers.ts";

const clock = new MockedClock();
const pass = (ms: number): void => clock.pass(ms);

/** A request that says how long its client waits, and counts how often it is asked. */
class Call {
  asked = 0;
  readonly #ms: number | undefined;

  constructor(ms: number | undefined) {
    this.#ms = ms;
  }

  get clientTimeoutMs(): number | undefined {
    this.asked++;
    return this.#ms;
  }
}

function started(routeMs: number, call?: Call): { readonly timers: AttemptTimers; readonly times: number[] } {
  const times: number[] = [];
  const request = {
    onRequestTimeout: () => void times.push(clock.nowMs),
    onAttemptTimeout() {},
    onStreamDuration() {},
  };
  const timers = new AttemptTimers(request, new TimerWheel({ now: () => clock.nowMs }));
  timers.startWhole(routeMs, call);
  return { timers, times };
}

test("a client's own time-out is met to the millisecond where it is the shorter one, or the only one", () => {
  for (const routeMs of [0, 15_000]) {
    const { times } = started(routeMs, new Call(3000));
    const from = clock.nowMs;
    pass(20_000);
    assert.deepEqual(times, [from + 3000]);
  }
});

test("the route's time-out stays where the client waits longer, or does not say", () => {
  for (const own of [30_000, undefined]) {
    const from = clock.nowMs;
    const { times } = started(1000, new Call(own));
    pass(40_000);
    assert.deepEqual(times, [from + 1000]);
  }
});

test("a client that gave up before it was asked ends soon after", () => {
  const { times } = started(0, new Call(20));
  pass(5000);
  assert.equal(times.length, 1);
  assert.ok(times[0]! <= 450, `${times[0]} ms`);
});

test("a call that is soon over is never asked, nor one whose route is shorter than that", () => {
  const soon = new Call(3000);
  const { timers } = started(0, soon);
  pass(200);
  timers.end();
  const short = new Call(50);
  const { times } = started(240, short);
  pass(5000);
  assert.deepEqual([soon.asked, short.asked, times.length], [0, 0, 1]);
});
