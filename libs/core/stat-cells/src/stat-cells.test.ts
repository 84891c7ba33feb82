import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  localStats,
  NamedCounts,
  NumberedCounts,
  numbersOf,
  SharedStats,
  SharedStatsOfThread,
  totalOf,
} from "./index.ts";

class Inner {
  rx_total = 0;
}

class Group {
  static readonly sameInAll = ["members"];
  rq_total = 0;
  rq_active = 0;
  members = 0;
  readonly inner = new Inner();
  readonly byNumber = new NumberedCounts(3);
  readonly named = new NamedCounts(2);

  begin(): void {
    this.rq_total++;
    this.rq_active++;
  }
}

/** Control thread and two others, in one thread. */
function three(): { shared: SharedStats; groups: readonly [Group, Group, Group] } {
  const shared = new SharedStats(3);
  const first = shared.create("g", Group);
  const others = [1, 2].map((thread) => {
    const store = new SharedStatsOfThread(thread, (key, cell, name) => shared.noteName(thread, key, cell, name));
    store.add(shared.all());
    return store.create("g", Group);
  });
  return { shared, groups: [first, others[0]!, others[1]!] };
}

test("each thread counts in its own cells, and the total is there without asking it", () => {
  const { groups } = three();
  const [control, a, b] = groups;
  a.begin();
  a.begin();
  b.begin();
  b.rq_active--;
  b.inner.rx_total += 5;
  assert.deepEqual([a.rq_total, b.rq_total, control.rq_total], [2, 1, 0]);
  assert.deepEqual([totalOf(control).rq_total, totalOf(control).rq_active, totalOf(a).rq_active], [3, 2, 2]);
  assert.equal(totalOf(control.inner).rx_total, 5);
  assert.ok(a instanceof Group);
});

test("what each thread sets to the same is not added up", () => {
  const { groups } = three();
  for (const group of groups) group.members = 4;
  assert.deepEqual(numbersOf(groups[0]), [
    ["rq_total", 0],
    ["rq_active", 0],
    ["members", 4],
  ]);
});

test("fields are apart from each other, counts by number included", () => {
  const [control, a, b] = three().groups;
  for (const number of [0, 2, 2]) a.byNumber.count(number);
  b.byNumber.count(2);
  for (const group of [control, a, b]) assert.deepEqual([...group.byNumber.totals()], [1, 0, 3]);
  assert.deepEqual([a.rq_total, a.inner.rx_total, a.members, [...a.named.entries()]], [0, 0, 0, []]);
});

test("names that come up while counting are added up by name; what does not fit is not lost to its own thread", () => {
  const [control, a, b] = three().groups;
  a.named.count("x");
  b.named.count("y");
  b.named.count("x", 2);
  a.named.count("z");
  a.named.count("too many");
  assert.deepEqual(new Map(control.named.entries()), new Map([["x", 3], ["y", 1], ["z", 1]])); // prettier-ignore
  assert.equal(new Map(a.named.entries()).get("too many"), 1);
});

test("a thread that begins again goes on with its counters; what it had under way is gone", () => {
  const { shared, groups } = three();
  groups[1].begin();
  groups[1].named.count("x");
  shared.endOf(1);
  const again = new SharedStatsOfThread(1, () => undefined);
  again.add(shared.all());
  const group = again.create("g", Group);
  group.begin();
  group.named.count("x");
  assert.deepEqual([group.rq_total, group.rq_active], [2, 1]);
  assert.deepEqual([...groups[0].named.entries()], [["x", 2]]);
});

test("a thread that is given all once more goes on with what it has; what was made anew is another", () => {
  const shared = new SharedStats(2);
  const before = shared.create("g", Group);
  const store = new SharedStatsOfThread(1, () => undefined);
  store.add(shared.all());
  store.create("g", Group).named.count("x");
  // The controlling thread does not know the name yet.
  store.add(shared.all());
  const again = store.create("g", Group);
  again.named.count("y");
  assert.deepEqual([...again.named.entries()], [["x", 1], ["y", 1]]); // prettier-ignore

  shared.forget("g");
  const anew = shared.create("g", Group);
  store.add(shared.all());
  store.create("g", Group).begin();
  assert.deepEqual([totalOf(before).rq_total, totalOf(anew).rq_total], [0, 1]);
});

test("one thread alone has ordinary objects, which are their own totals", () => {
  const group = localStats.create("g", Group);
  group.begin();
  assert.equal(totalOf(group), group);
  assert.deepEqual(Object.keys(group).slice(0, 2), ["rq_total", "rq_active"]);
  assert.deepEqual(numbersOf(group)[0], ["rq_total", 1]);
});

test("counts by number of one thread alone are made when the first is counted", () => {
  const group = localStats.create("g", Group);
  assert.equal(group.byNumber.totals().length, 0);
  group.byNumber.count(1);
  assert.deepEqual([...group.byNumber.totals()], [0, 1, 0]);
});

test("numbers may begin later than at 0", () => {
  const counts = new NumberedCounts(2, 100);
  for (const number of [99, 100, 101, 101, 102]) counts.count(number);
  assert.deepEqual([...counts.totals()], [1, 2]);
});

test("counts by number go on past 32 bits, in cells and without", () => {
  const shared = new SharedStats(2);
  const group = shared.create("g", Group);
  const [share] = shared.takeNew();
  // All cells of both threads.
  new Float64Array(share!.memory).fill(2 ** 32 - 1);
  group.byNumber.count(1);
  assert.deepEqual([...group.byNumber.totals()], [2 ** 33 - 2, 2 ** 33 - 1, 2 ** 33 - 2]);
  const own = new NumberedCounts(1);
  own.count(0);
  own.totals()[0]! += 2 ** 32 - 1;
  own.count(0);
  assert.deepEqual([...own.totals()], [2 ** 32 + 1]);
});

test("a thread that never comes to rest can be read", async () => {
  const shared = new SharedStats(2);
  const group = shared.create("g", Group);
  const [share] = shared.takeNew();
  assert.ok(share !== undefined);
  assert.deepEqual(shared.takeNew(), []);
  const busy = `
    const { workerData } = require("node:worker_threads");
    const { memory, names } = workerData;
    const cells = new Float64Array(memory, memory.byteLength / names.length);
    for (;;) cells[0]++;`;
  const worker = new Worker(busy, { eval: true, workerData: share });
  try {
    const total = totalOf(group);
    while (total.rq_total < 1000) await new Promise((resolve) => setImmediate(resolve));
    const before = total.rq_total;
    while (total.rq_total === before) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    await worker.terminate();
  }
});
