import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate as settle } from "node:timers/promises";
import { Slots } from "./slots.ts";

test("work waits its turn, in order, and a failure gives its slot back", async () => {
  const slots = new Slots(2, 1000);
  const done: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const runs = gates.map((gate, n) =>
    slots.run(async () => {
      done.push(n);
      await gate.promise;
    }),
  );
  await settle();
  assert.deepEqual(done, [0, 1]);
  gates[1]!.reject(new Error("failed"));
  await assert.rejects(runs[1]!, /failed/);
  await settle();
  assert.deepEqual(done, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all([runs[0], runs[2], runs[3]]);
  assert.deepEqual(done, [0, 1, 2, 3]);
});

test("who waits too long is told, and does not take a slot later", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const slots = new Slots(1, 1000);
  const gate = Promise.withResolvers<void>();
  const first = slots.run(() => gate.promise);
  const late = assert.rejects(
    slots.run(async () => assert.fail("it ran")),
    /busy for 1000 ms/,
  );
  await settle();
  mock.timers.tick(1000);
  await late;
  gate.resolve();
  await first;
  assert.equal(await slots.run(async () => "free"), "free");
});
