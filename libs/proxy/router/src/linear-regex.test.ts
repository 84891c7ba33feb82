import assert from "node:assert/strict";
import { test } from "node:test";
import { fullMatch, linearRegex } from "./linear-regex.ts";

test("clients that fill the engine's memory do not end matching", () => {
  const patterns = Array.from({ length: 12 }, (_, i) => fullMatch(`/p${i}.*[ab][^z]{16}x.*`, false, "here"));
  let seed = 1;
  const letter = () => "abcdef"[(seed = (seed * 48271) % 0x7fffffff) % 6];
  for (let i = 0; i < 30; i++) {
    const path = `/p${i % 12}${Array.from({ length: 8000 }, letter).join("")}`;
    assert.equal(patterns[i % 12]?.(path), false);
  }
  for (const [i, matches] of patterns.entries()) assert.equal(matches(`/p${i}/a${"b".repeat(16)}x`), true);
});

test("a pattern that is too large for the engine is refused, and others go on", () => {
  const before = fullMatch("/before.*", false, "here");
  for (let i = 0; i < 3; i++)
    assert.throws(() => linearRegex(`(?:[a-z\\p{L}]{50}){${15 + i}}`, "", "here"), { code: "FL_ROUTE_INVALID" });
  assert.equal(before("/before/it"), true);
  assert.equal(fullMatch("/after.*", false, "here")("/after/it"), true);
});
