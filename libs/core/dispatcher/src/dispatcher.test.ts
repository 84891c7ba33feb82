import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import { Dispatcher } from "./dispatcher.ts";

function dispatcherUnderTest() {
  const wakeUps: (() => void)[] = [];
  const errors: unknown[] = [];
  const dispatcher = new Dispatcher({
    wakeUp: (run) => void wakeUps.push(run),
    onError: (error) => void errors.push(error),
  });
  return { dispatcher, errors, wakeUps, turn: () => wakeUps.shift()?.() };
}

test("runs tasks in order, with one wake-up for all that were posted before it", () => {
  const { dispatcher, wakeUps, turn } = dispatcherUnderTest();
  const ran: number[] = [];
  for (const n of [1, 2, 3]) dispatcher.post(() => ran.push(n));
  assert.equal(wakeUps.length, 1);
  assert.deepEqual(ran, []);
  turn();
  assert.deepEqual(ran, [1, 2, 3]);
  assert.equal(wakeUps.length, 0);
});

test("what a task posts is of the next batch", () => {
  const { dispatcher, turn } = dispatcherUnderTest();
  let runs = 0;
  const again = (): void => {
    runs++;
    dispatcher.post(again);
  };
  dispatcher.post(again);
  turn();
  assert.equal(runs, 1);
  turn();
  assert.equal(runs, 2);
});

test("destroys after the callback that asked for it, and once", () => {
  const { dispatcher, turn } = dispatcherUnderTest();
  const order: string[] = [];
  const stream = {
    destroy: () => order.push("destroyed"),
    onData() {
      dispatcher.deferredDelete(stream);
      dispatcher.deferredDelete(stream);
      order.push("callback over");
    },
  };
  dispatcher.post(() => stream.onData());
  dispatcher.post(() => order.push("next task"));
  turn();
  assert.deepEqual(order, ["callback over", "next task", "destroyed"]);
});

test("what is doomed while others are destroyed has its turn later", () => {
  const { dispatcher, turn } = dispatcherUnderTest();
  const order: string[] = [];
  const inner = { destroy: () => order.push("inner") };
  dispatcher.deferredDelete({
    destroy() {
      dispatcher.deferredDelete(inner);
      order.push("outer");
    },
  });
  turn();
  assert.deepEqual(order, ["outer"]);
  turn();
  assert.deepEqual(order, ["outer", "inner"]);
});

test("a task that throws does not keep the rest of its batch", () => {
  const { dispatcher, errors, turn } = dispatcherUnderTest();
  let ran = false;
  dispatcher.post(() => {
    throw new Error("a defect");
  });
  dispatcher.post(() => (ran = true));
  turn();
  assert.equal(ran, true);
  assert.equal(errors.length, 1);
});

test("exit runs what was posted, destroys all, and takes nothing more", () => {
  const { dispatcher, turn } = dispatcherUnderTest();
  const order: string[] = [];
  dispatcher.post(() => {
    order.push("posted");
    dispatcher.post(() => order.push("posted by the last batch"));
  });
  dispatcher.deferredDelete({ destroy: () => dispatcher.deferredDelete({ destroy: () => order.push("destroyed") }) });
  dispatcher.wheel.timer({ onDeadline: () => order.push("timer") }).deadlineMs = 0;
  dispatcher.exit();
  assert.deepEqual(order, ["posted", "destroyed"]);
  assert.equal(dispatcher.wheel.armed, 0);
  assert.equal(
    dispatcher.post(() => assert.fail("after exit")),
    false,
  );
  dispatcher.deferredDelete({ destroy: () => order.push("at once") });
  assert.equal(order.at(-1), "at once");
  turn();
  turn();
  assert.equal(order.length, 3);
});

test("a wheel that it was given outlives it", () => {
  const wheel = new TimerWheel({ every: () => () => undefined });
  const dispatcher = new Dispatcher({ wheel });
  dispatcher.wheel.timer({ onDeadline: () => undefined }).deadlineMs = wheel.nowMs;
  dispatcher.exit();
  assert.equal(wheel.armed, 1);
});

test("its timers go by the clock that it was given", () => {
  const dispatcher = new Dispatcher({ now: () => 12_345 });
  assert.equal(dispatcher.wheel.nowMs, 12_345);
});

test("wakes up by itself", async () => {
  const dispatcher = new Dispatcher();
  await new Promise<void>((resolve) => dispatcher.post(resolve));
});
