import assert from "node:assert/strict";
import { test } from "node:test";
import { commonCells, CommonCellsOfControl, CommonCellsOfThread } from "./index.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const two = (): readonly [Int32Array, Int32Array] => [commonCells(1), commonCells(2)];

test("threads that build the same have the same cells", () => {
  const control = new CommonCellsOfControl();
  const [a, b] = control.within("listener in", bytes("v1"), two);
  const thread = new CommonCellsOfThread();
  thread.add(control.takeNew());
  assert.deepEqual(control.takeNew(), []);
  const [otherA, otherB] = thread.within("listener in", bytes("v1"), two);
  Atomics.add(a, 0, 3);
  Atomics.add(otherB, 1, 4);
  assert.deepEqual([[...otherA], [...b]], [[3], [0, 4]]);
});

test("another version, or another thing, has cells of its own", () => {
  const control = new CommonCellsOfControl();
  const [first] = control.within("listener in", bytes("v1"), two);
  const [changed] = control.within("listener in", bytes("v2"), two);
  const [other] = control.within("listener out", bytes("v1"), two);
  Atomics.add(first, 0, 1);
  assert.deepEqual([changed[0], other[0]], [0, 0]);
  assert.equal(control.all().length, 2, "what has been replaced is forgotten");
});

test("outside, and for what the control thread does not know, cells are the caller's own", () => {
  const thread = new CommonCellsOfThread();
  const build = (): Int32Array => thread.within("x", bytes("v"), () => commonCells(1));
  Atomics.add(build(), 0, 1);
  assert.deepEqual([build()[0], commonCells(1)[0]], [0, 0]);
});
