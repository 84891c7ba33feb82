import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Debounce } from "./debounce.ts";

function start(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1000 });
  const fired: number[] = [];
  const held: number[] = [];
  const debounce = new Debounce({
    quietMs: 100,
    maxMs: 10_000,
    fire: (heldMs) => {
      fired.push(Date.now() - 1000);
      held.push(heldMs);
    },
  });
  const pass = (ms: number) => {
    // In small steps: within one tick the clock already shows its end.
    for (let passed = 0; passed < ms; passed++) t.mock.timers.tick(1);
  };
  return { debounce, fired, held, pass };
}

test("a lone change goes at once, and so does the next after a quiet time", (t) => {
  const { debounce, fired, pass } = start(t);
  debounce.changed();
  pass(101);
  debounce.changed();
  pass(1000);
  assert.deepEqual(fired, [0, 101]);
});

test("a storm goes at its begin and once more when it is quiet", (t) => {
  const { debounce, fired, held, pass } = start(t);
  for (let index = 0; index < 10; index++) {
    debounce.changed();
    pass(30);
  }
  pass(1000);
  assert.deepEqual(fired, [0, 270 + 100]);
  assert.deepEqual(held, [0, 270 + 100 - 30]);
});

test("a change is held back for at most the longest time", (t) => {
  const { debounce, fired, pass } = start(t);
  for (let index = 0; index < 500; index++) {
    debounce.changed();
    pass(50);
  }
  assert.deepEqual(fired.slice(0, 2), [0, 10_050]);
});

test("after a stop nothing fires", (t) => {
  const { debounce, fired, pass } = start(t);
  debounce.changed();
  debounce.changed();
  debounce.stop();
  pass(20_000);
  assert.deepEqual(fired, [0]);
});
