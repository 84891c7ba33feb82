import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { collectStartGarbage } from "./start-garbage.ts";

const mebibyte = 1024 * 1024;

/** Old enough to be in the old generation when it is let go. */
function makeGarbage(): number {
  const objects: object[] = [];
  for (let i = 0; i < 1_000_000; i += 1) objects.push({ i, text: [i] });
  return objects.length;
}

test("memory of objects that are gone is given back, and programs find no gc afterwards", () => {
  makeGarbage();
  const before = process.memoryUsage().heapTotal;
  collectStartGarbage();
  const after = process.memoryUsage().heapTotal;
  assert.ok(before - after > 30 * mebibyte, `${before / mebibyte} MiB became ${after / mebibyte} MiB`);
  assert.equal(runInNewContext("typeof gc"), "undefined");
});
