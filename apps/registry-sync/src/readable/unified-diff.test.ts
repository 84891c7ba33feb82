import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { unifiedDiff } from "./unified-diff.ts";

test("a changed line comes with three lines around it, two far apart in hunks of their own", () => {
  const before = Array.from({ length: 20 }, (_, line) => `line ${line + 1}`);
  const after = before.with(4, "five").toSpliced(15, 1);
  assert.equal(
    unifiedDiff(before.join("\n"), after.join("\n")),
    [
      "@@ -2,7 +2,7 @@",
      " line 2",
      " line 3",
      " line 4",
      "-line 5",
      "+five",
      " line 6",
      " line 7",
      " line 8",
      "@@ -13,7 +13,6 @@",
      " line 13",
      " line 14",
      " line 15",
      "-line 16",
      " line 17",
      " line 18",
      " line 19",
    ].join("\n"),
  );
});

test("a text that is new, gone, or the same", () => {
  assert.equal(unifiedDiff("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b");
  assert.equal(unifiedDiff("a\nb\n", ""), "@@ -1,2 +0,0 @@\n-a\n-b");
  assert.equal(unifiedDiff("a\nb\n", "a\nb"), "");
});

/** Applies a diff as `patch` does. */
function patched(before: readonly string[], diff: string): string[] {
  const result: string[] = [];
  let at = 0;
  for (const line of diff === "" ? [] : diff.split("\n")) {
    const hunk = /^@@ -(\d+),(\d+) /.exec(line);
    if (hunk !== null) {
      const first = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
      while (at < first) result.push(before[at++]!);
    } else if (line.startsWith("+")) result.push(line.slice(1));
    else {
      assert.equal(line.slice(1), before[at]);
      if (line.startsWith(" ")) result.push(before[at]!);
      at += 1;
    }
  }
  return [...result, ...before.slice(at)];
}

test("what a diff says, applied to the old text, gives the new one", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "{", "}"), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      assert.deepEqual(patched(before, unifiedDiff(before.join("\n"), after.join("\n"))), after);
    }),
    { numRuns: 500 },
  );
});

test("changes that are far apart in a long text are shown alone", () => {
  const before = Array.from({ length: 20_000 }, (_, line) => (line % 10 === 0 ? `name ${line}` : "}"));
  const after = before.with(101, "first").with(19_901, "last");
  assert.equal(unifiedDiff(before.join("\n"), after.join("\n")).match(/^@@/gm)?.length, 2);
});

test("texts of very many lines do not take long", () => {
  const lines = (word: string) => Array.from({ length: 50_000 }, (_, line) => `${word} ${line}`).join("\n");
  const started = performance.now();
  assert.equal(unifiedDiff(lines("a"), lines("b")).split("\n").length, 100_001);
  // To compare each line with each would take minutes.
  assert.ok(performance.now() - started < 20_000);
});
