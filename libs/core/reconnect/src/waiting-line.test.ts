import assert from "node:assert/strict";
import { test } from "node:test";
import { WaitingLine } from "./waiting-line.ts";

test("who came first has the first turn, also when others come meanwhile", async () => {
  const line = new WaitingLine();
  const turns: number[] = [];
  const join = (who: number) => void line.join().then(() => turns.push(who));
  line.callNext();
  for (const who of [1, 2, 3]) join(who);
  line.callNext();
  line.callNext();
  join(4);
  line.callNext();
  join(5);
  line.callAll();
  line.callNext();
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(turns, [1, 2, 3, 4, 5]);
});

test("300,000 that wait are called in less than what moving all of them each time would take", () => {
  const line = new WaitingLine();
  for (let who = 0; who < 300_000; who++) void line.join();
  const began = performance.now();
  for (let who = 0; who < 300_000; who++) line.callNext();
  assert(performance.now() - began < 3_000);
});
