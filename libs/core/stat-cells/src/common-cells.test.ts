import assert from "node:assert/strict";
import { test } from "node:test";
import { commonCells, commonGauges, CommonCellsOfControl, CommonCellsOfThread } from "./index.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const two = (): readonly [Int32Array, Int32Array] => [commonCells(1), commonCells(2)];

test("threads that build the same have the same cells", () => {
  const control = new CommonCellsOfControl(2);
  const [a, b] = control.within("listener in", bytes("v1"), two);
  const thread = new CommonCellsOfThread(1);
  thread.add(control.takeNew());
  assert.deepEqual(control.takeNew(), []);
  const [otherA, otherB] = thread.within("listener in", bytes("v1"), two);
  Atomics.add(a, 0, 3);
  Atomics.add(otherB, 1, 4);
  assert.deepEqual([[...otherA], [...b]], [[3], [0, 4]]);
});

test("another version, or another thing, has cells of its own", () => {
  const control = new CommonCellsOfControl(2);
  const [first] = control.within("listener in", bytes("v1"), two);
  const [changed] = control.within("listener in", bytes("v2"), two);
  const [other] = control.within("listener out", bytes("v1"), two);
  Atomics.add(first, 0, 1);
  assert.deepEqual([changed[0], other[0]], [0, 0]);
  assert.equal(control.all().length, 2, "what has been replaced is forgotten");
});

test("outside, and for what the control thread does not know, cells are the caller's own", () => {
  const thread = new CommonCellsOfThread(1);
  const build = (): Int32Array => thread.within("x", bytes("v"), () => commonCells(1));
  Atomics.add(build(), 0, 1);
  assert.deepEqual([build()[0], commonCells(1)[0]], [0, 0]);
});

test("gauges are seen as the sum of all threads; what a thread had goes with it", () => {
  const control = new CommonCellsOfControl(3);
  const build = () => [commonCells(1), commonGauges(2)] as const;
  const [cells] = control.within("listener in", bytes("v1"), build);
  const shares = control.takeNew();
  const [first, second] = [1, 2].map((index) => {
    const thread = new CommonCellsOfThread(index);
    thread.add(shares);
    return thread.within("listener in", bytes("v1"), build)[1];
  });
  assert(first !== undefined && second !== undefined);
  Atomics.add(cells, 0, 5);
  first.add(0, 2);
  second.add(0, 3);
  second.add(1, 4);
  assert.deepEqual([first.total(0), first.total(1)], [5, 4]);
  first.add(0, -1);
  assert.equal(second.total(0), 4);
  control.endOf(2);
  assert.deepEqual([first.total(0), first.total(1), cells[0]], [1, 0, 5]);
});

test("gauges outside are the caller's own", () => {
  const gauges = commonGauges(2);
  gauges.add(1, 3);
  assert.deepEqual([gauges.total(0), gauges.total(1), commonGauges(2).total(1)], [0, 3, 0]);
});
