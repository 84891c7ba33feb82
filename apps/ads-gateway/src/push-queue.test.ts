import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { PushQueue } from "./push-queue.ts";

function manual(concurrency: number) {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const queue = new PushQueue<string>({
    concurrency,
    push: (client) => {
      started.push(client);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  const endFirst = async () => {
    ends.shift()?.();
    await turn();
  };
  return { queue, started, endFirst };
}

test("one under way and one waiting a client, however often it is asked for", async () => {
  const { queue, started, endFirst } = manual(10);
  for (let index = 0; index < 5; index++) queue.enqueue("a");
  assert.deepEqual(started, ["a"]);
  assert.equal(queue.waiting, 1);
  await endFirst();
  assert.deepEqual(started, ["a", "a"]);
  await endFirst();
  assert.equal(queue.running + queue.waiting, 0);
});

test("no more at the same time than allowed, in the order of asking; a client that left is skipped", async () => {
  const { queue, started, endFirst } = manual(2);
  for (const client of ["a", "b", "c", "d"]) queue.enqueue(client);
  assert.deepEqual(started, ["a", "b"]);
  queue.forget("c");
  await endFirst();
  assert.deepEqual(started, ["a", "b", "d"]);
});

test("a push that fails makes room for the next", async () => {
  const started: string[] = [];
  const queue = new PushQueue<string>({
    concurrency: 1,
    push: async (client) => {
      started.push(client);
      throw new Error("gone");
    },
  });
  queue.enqueue("a");
  queue.enqueue("b");
  await turn();
  assert.deepEqual(started, ["a", "b"]);
});
