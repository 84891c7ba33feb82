import assert from "node:assert/strict";
import { test } from "node:test";
import { policyTextOf } from "./policy-text.ts";

test("UTF-8 is taken as it is, also with a byte order mark", () => {
  for (const text of ["", "a: ä\nb: 網\n", "\uFEFFa: 1"]) assert.deepEqual(policyTextOf(Buffer.from(text)), { text });
});

test("of other bytes the line is named, not replaced", () => {
  for (const [before, line] of [
    ["", 1],
    ["a: ä\nb: ", 2],
    ["\n\n", 3],
  ] as const) {
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from("é", "latin1"), Buffer.from("\nc: 1\n")]);
    assert.deepEqual(policyTextOf(bytes), { brokenLine: line });
  }
});
