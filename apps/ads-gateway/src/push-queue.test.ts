import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { PushQueue } from "./push-queue.ts";

function manual(concurrency: number) {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const clock = { now: 0 };
  const queue = new PushQueue<string, string>({
    concurrency,
    merge: (waiting, next) => waiting + next,
    now: () => clock.now,
    push: (client, request, queuedMs) => {
      started.push(`${client} ${request} ${queuedMs}`);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  const endFirst = async () => {
    ends.shift()?.();
    await turn();
  };
  return { queue, started, endFirst, clock };
}

test("one under way and one waiting a client; what waits merges, with the oldest time", async () => {
  const { queue, started, endFirst, clock } = manual(10);
  for (const request of ["1", "2", "3", "4"]) {
    clock.now += 10;
    queue.enqueue("a", request);
  }
  assert.deepEqual(started, ["a 1 0"]);
  assert.equal(queue.waiting, 1);
  clock.now = 100;
  await endFirst();
  assert.deepEqual(started, ["a 1 0", "a 234 80"]);
  await endFirst();
  assert.equal(queue.running + queue.waiting, 0);
});

test("no more at the same time than allowed, in the order of asking; a client that left is skipped", async () => {
  const { queue, started, endFirst } = manual(2);
  for (const client of ["a", "b", "c", "d"]) queue.enqueue(client, "1");
  assert.deepEqual(started, ["a 1 0", "b 1 0"]);
  queue.forget("c");
  await endFirst();
  assert.deepEqual(started.at(-1), "d 1 0");
});

test("a client that is asked for again keeps its place", async () => {
  const { queue, started, endFirst } = manual(1);
  for (const client of ["a", "b", "c", "b"]) queue.enqueue(client, "1");
  for (let index = 0; index < 3; index++) await endFirst();
  assert.deepEqual(started, ["a 1 0", "b 11 0", "c 1 0"]);
});

test("a push that fails makes room for the next", async () => {
  const started: string[] = [];
  const queue = new PushQueue<string, undefined>({
    concurrency: 1,
    merge: () => undefined,
    push: async (client) => {
      started.push(client);
      throw new Error("gone");
    },
  });
  queue.enqueue("a", undefined);
  queue.enqueue("b", undefined);
  await turn();
  assert.deepEqual(started, ["a", "b"]);
});

test("whatever is asked for and ends when: every request is in one push, never two of a client at once", async () => {
  const step = fc.oneof(fc.record({ ask: fc.integer({ min: 0, max: 4 }) }), fc.constant("end" as const));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, concurrency) => {
      const under = new Map<number, (() => void)[]>();
      const pushed = new Map<number, number[]>();
      const asked = new Map<number, number[]>();
      const queue = new PushQueue<number, readonly number[]>({
        concurrency,
        merge: (a, b) => [...a, ...b],
        push: (client, requests) => {
          assert.ok(!under.has(client), "two pushes of one client");
          pushed.set(client, [...(pushed.get(client) ?? []), ...requests]);
          return new Promise((resolve) => {
            under.set(client, [resolve]);
            assert.ok(under.size <= concurrency);
          });
        },
      });
      const end = async () => {
        const [client, ends] = [...under][0] ?? [];
        if (client === undefined) return;
        under.delete(client);
        for (const resolve of ends ?? []) resolve();
        await turn();
      };
      let count = 0;
      for (const one of steps) {
        if (one === "end") await end();
        else {
          asked.set(one.ask, [...(asked.get(one.ask) ?? []), ++count]);
          queue.enqueue(one.ask, [count]);
        }
      }
      while (under.size > 0) await end();
      assert.deepEqual(new Set(pushed), new Set(asked));
    }),
    { numRuns: 50 },
  );
});
