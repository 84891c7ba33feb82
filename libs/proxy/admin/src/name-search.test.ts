import assert from "node:assert/strict";
import { test } from "node:test";
import { searchOf } from "./name-search.ts";

test("an expression is looked for anywhere in a name", () => {
  const search = searchOf("b.d|^x$");
  assert.deepEqual(
    ["abcde", "x", "xx", "a"].map((name) => search(name)),
    [true, true, false, false],
  );
});

test("what is no expression by itself is refused", () => {
  for (const expression of ["(", "a)|(b", "*"])
    assert.throws(() => searchOf(expression), { code: "FL_REQUEST_INVALID" }, expression);
});

test("an expression that is too long for a name, or takes all names together too long, is refused", () => {
  const heavy = searchOf("(.?){300}Z");
  assert.throws(() => heavy("a".repeat(80)), { code: "FL_REQUEST_INVALID", message: /too long/ });
  let nowMs = 0;
  const slow = searchOf("a", () => (nowMs += 100));
  for (let i = 0; i < 10; i++) slow("a");
  assert.throws(() => slow("a"), { code: "FL_REQUEST_INVALID", message: /too long/ });
});
