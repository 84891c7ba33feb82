import assert from "node:assert/strict";
import { test } from "node:test";
import { slotKey, taskKey } from "./keys.ts";
import { SlotControl } from "./slot-control.ts";
import { SlotWorker } from "./slot-worker.ts";

const routes = slotKey<{ readonly text: string }>("routes");

function oneThread() {
  const control = new SlotControl();
  const worker = new SlotWorker();
  const slot = worker.open(routes, {
    initial: "none",
    build({ text }) {
      if (text === "") throw new Error("empty");
      return text.toUpperCase();
    },
  });
  const link = control.addLocalWorker("worker 0", worker);
  return { control, worker, slot, link };
}

test("in one thread a value is swapped when set returns, and what began with the old one keeps it", async () => {
  const { control, slot } = oneThread();
  assert.equal(slot.value, "none");
  const began = slot.value;
  const done = control.set(routes, { text: "a" });
  assert.equal(slot.value, "A");
  assert.equal(slot.version, 1);
  assert.equal(began, "none");
  await done;
});

test("a payload that cannot be built is told with the worker's name, and the value of before stays", async () => {
  const { control, slot } = oneThread();
  await control.set(routes, { text: "a" });
  await assert.rejects(control.set(routes, { text: "" }), {
    code: "FL_SLOT_NOT_BUILT",
    message: /version 2 of routes.*worker 0: empty/,
  });
  assert.equal(slot.value, "A");
  assert.equal(slot.version, 1);
  await control.set(routes, { text: "b" });
  assert.equal(slot.version, 3);
});

test("tasks answer in the order of workers, and a worker that has ended is not waited for", async () => {
  const control = new SlotControl();
  const count = taskKey<number, number>("count");
  const unanswered = Promise.withResolvers<number>();
  const links = [1, 2, 3].map((n) => {
    const worker = new SlotWorker();
    worker.handle(count, (by) => (n === 2 ? unanswered.promise : n * by));
    return control.addLocalWorker(`worker ${n}`, worker);
  });
  const answers = control.runOnAllWorkers(count, 10);
  links[1]!.remove();
  assert.deepEqual(await answers, [10, 30]);
  unanswered.resolve(0);
  assert.equal(control.workers, 2);
});

test("without a worker there is nothing to wait for", async () => {
  await new SlotControl().set(routes, { text: "a" });
});

test("what a worker does not know fails", async () => {
  const { control, worker } = oneThread();
  await assert.rejects(control.set(slotKey<number>("other"), 1), { message: /there is no slot other/ });
  await assert.rejects(control.runOnAllWorkers(taskKey<undefined, undefined>("other"), undefined), {
    code: "FL_WORKER_TASK_FAILED",
    message: /there is no task other/,
  });
  assert.throws(() => worker.open(routes, { initial: 0, build: () => 0 }), /open already/);
});

test("a worker that is added later says whether it could build what there is", async () => {
  const { control } = oneThread();
  await control.set(routes, { text: "a" });
  const late = new SlotWorker();
  const slot = late.open(routes, { initial: "none", build: ({ text }) => `late ${text}` });
  await control.addLocalWorker("worker 1", late).ready;
  assert.deepEqual([slot.value, slot.version], ["late a", 1]);
  await assert.rejects(control.addLocalWorker("worker 2", new SlotWorker()).ready, { code: "FL_SLOT_NOT_BUILT" });
});
