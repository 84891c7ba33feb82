import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { renderTable } from "./table.ts";

test("columns are as wide as what is seen, whatever colours are in it", () => {
  assert.equal(
    renderTable(
      ["NAME", "STATE", "WHY"],
      [
        ["a", "\u001B[32mACKED\u001B[39m", ""],
        ["longer", "-", "a reason\n  of two lines"],
      ],
    ),
    ["NAME    STATE  WHY", "a       \u001B[32mACKED\u001B[39m", "longer  -      a reason of two lines"].join("\n"),
  );
});

test("a long cell goes on below itself; a long word is cut", () => {
  assert.equal(
    renderTable(["A", "B"], [["one two three", "abcdefghijk"]], { maxCellWidth: 7 }),
    ["A        B", "one two  abcdefg", "three    hijk"].join("\n"),
  );
});

test("no line of a wrapped cell is wider than asked, and no character is lost", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (text, width) => {
      const cell = text.replaceAll(/[\s\p{C}]/gu, "x");
      const lines = renderTable([""], [[cell]], { maxCellWidth: width })
        .split("\n")
        .slice(1);
      assert.equal(lines.join(""), cell);
    }),
  );
});
