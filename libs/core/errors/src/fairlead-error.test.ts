import assert from "node:assert/strict";
import { test } from "node:test";
import { declareErrors, FairleadError, meaningOf } from "./index.ts";

test("from() keeps a FairleadError and wraps anything else as FL_INTERNAL with its cause", () => {
  const known = new FairleadError("FL_INTERNAL", "x");
  assert.equal(FairleadError.from(known), known);
  const cause = new TypeError("boom");
  const wrapped = FairleadError.from(cause);
  assert.equal(wrapped.code, "FL_INTERNAL");
  assert.equal(wrapped.message, "boom");
  assert.equal(wrapped.cause, cause);
});

test("a code belongs to one library", () => {
  const meaning = { httpStatus: 400, meaning: "m", action: "a" };
  declareErrors("one", { FL_TEST_ONLY: meaning });
  declareErrors("one", { FL_TEST_ONLY: meaning });
  assert.equal(meaningOf("FL_TEST_ONLY")?.origin, "one");
  assert.throws(() => declareErrors("two", { FL_TEST_ONLY: meaning }), /FL_TEST_ONLY is declared by one and by two/);
});
