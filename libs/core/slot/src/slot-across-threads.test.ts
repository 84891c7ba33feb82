import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { SlotControl } from "./slot-control.ts";
import { greeting, hosts, slow } from "./slot-under-test.ts";

const threads: Worker[] = [];
after(() => Promise.all(threads.map((thread) => thread.terminate())));

function addThread(control: SlotControl) {
  const thread = new Worker(new URL("slot-under-test.worker.ts", import.meta.url));
  threads.push(thread);
  const link = control.addWorker(`worker ${threads.length}`, thread);
  thread.on("exit", () => link.remove());
  return { thread, link };
}

test("all workers run what was set once it is acknowledged, and a late one begins with it", async () => {
  const control = new SlotControl();
  addThread(control);
  addThread(control);
  void control.set(hosts, [["a", 1]]);
  await control.set(hosts, [
    ["a", 1],
    ["b", 2],
  ]);
  const said = "hello: version 2, a b";
  assert.deepEqual(await control.runOnAllWorkers(greeting, "hello"), [said, said]);
  await addThread(control).link.ready;
  assert.deepEqual(await control.runOnAllWorkers(greeting, "hello"), [said, said, said]);
});

test("what is sent in one turn arrives in order, and what cannot be cloned fails alone", async () => {
  const control = new SlotControl();
  addThread(control);
  const told = await Promise.allSettled([
    control.set(hosts, [["a", 1]]),
    control.set(hosts, [["b", (() => 0) as unknown as number]]),
    control.set(hosts, []),
    control.runOnAllWorkers(greeting, "x"),
  ]);
  const [first, uncloneable, empty, greeted] = told;
  assert.equal(first.status, "fulfilled");
  assert.equal((uncloneable as PromiseRejectedResult).reason.code, "FL_SLOT_NOT_BUILT");
  assert.match(
    (empty as PromiseRejectedResult).reason.message,
    /version 3 of hosts has failed in 1 of 1 workers: worker \d: no hosts/,
  );
  assert.deepEqual((greeted as PromiseFulfilledResult<readonly string[]>).value, ["x: version 1, a"]);
});

test("a task may answer later, and a worker that dies is not waited for", async () => {
  const control = new SlotControl();
  const { thread: dying } = addThread(control);
  const { thread } = addThread(control);
  assert.deepEqual(await control.runOnAllWorkers(slow, undefined), [dying.threadId, thread.threadId]);
  const staying = thread.threadId;
  void dying.terminate();
  const answers = await control.runOnAllWorkers(slow, undefined);
  assert.equal(answers.at(-1), staying);
  assert.ok(answers.length <= 2);
});
