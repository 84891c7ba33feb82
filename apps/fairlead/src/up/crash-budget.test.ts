import assert from "node:assert/strict";
import { test } from "node:test";
import { CrashBudget } from "./crash-budget.ts";

test("so many crashes within the time, and more once they are old", () => {
  let now = 0;
  const budget = new CrashBudget({ crashes: 2, withinMs: 1000 }, () => now);
  assert.equal(budget.spend(), true);
  now = 500;
  assert.equal(budget.spend(), true);
  assert.equal(budget.spend(), false);
  now = 1000;
  assert.equal(budget.spend(), true);
  assert.equal(budget.spend(), false);
});
