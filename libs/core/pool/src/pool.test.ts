import assert from "node:assert/strict";
import { test } from "node:test";
import { ObjectPool } from "./object-pool.ts";
import { PoolContext } from "./pool-context.ts";
import { PoolRegistry, threadPools } from "./pool-registry.ts";
import { withPoolLeakCheck } from "./testing/pool-leaks.ts";

interface Thing {
  readonly id: number;
  text: string;
  broken: boolean;
}

function things(options: { readonly maxFree?: number; readonly maxTaken?: number } = {}) {
  let made = 0;
  const destroyed: number[] = [];
  const kind = {
    name: "things",
    create: (): Thing => ({ id: ++made, text: "", broken: false }),
    reset(item: Thing) {
      item.text = "";
      return !item.broken;
    },
    destroy: (item: Thing) => void destroyed.push(item.id),
    ...options,
  };
  return { kind, pool: new ObjectPool<Thing>(kind), destroyed };
}

test("what was given back is taken again, as it was when it was new", () => {
  const { pool } = things();
  const first = pool.take();
  first.text = "a secret of somebody";
  const second = pool.take();
  pool.give(first);
  assert.equal(pool.take(), first);
  assert.equal(first.text, "");
  pool.give(first);
  pool.give(second);
  assert.deepEqual(pool.stats, { taken: 0, free: 2, created: 2, reused: 1, dropped: 0 });
});

test("what is broken or too much is destroyed, and what is free at the end", () => {
  const { pool, destroyed } = things({ maxFree: 2 });
  const all = [pool.take(), pool.take(), pool.take(), pool.take()];
  all[0]!.broken = true;
  for (const item of all) pool.give(item);
  assert.deepEqual(destroyed, [1, 4]);
  const late = pool.take();
  pool.close();
  assert.deepEqual(destroyed, [1, 4, 2]);
  pool.give(late);
  assert.deepEqual(destroyed, [1, 4, 2, 3]);
});

test("there are no more than the limit in use", () => {
  const { pool } = things({ maxTaken: 2 });
  const first = pool.take();
  pool.take();
  assert.throws(() => pool.take(), { code: "FL_POOL_EXHAUSTED", message: "things: 2 are in use, which is the limit" });
  pool.give(first);
  assert.equal(pool.take(), first);
});

test("to give twice, or to another pool, is told at once", () => {
  const { pool } = things();
  const item = pool.take();
  assert.throws(() => things().pool.give(item), /was not taken/);
  pool.give(item);
  assert.throws(() => pool.give(item), /was not taken/);
});

test("the end of a request gives back all that it has taken, the last first, and once", () => {
  const { pool: ones, destroyed } = things({ maxFree: 0 });
  const { pool: others } = things();
  const request = new PoolContext();
  request.take(ones);
  request.take(others);
  request.take(ones);
  assert.deepEqual([ones.stats.taken, others.stats.taken], [2, 1]);
  request.end();
  assert.deepEqual([ones.stats.taken, others.stats.taken], [0, 0]);
  assert.deepEqual(destroyed, [2, 1]);
  request.end();
  assert.throws(() => request.take(others), /has ended/);
  assert.equal(others.stats.taken, 0);
});

test("what cannot be given back is told, and keeps nothing else of its request", () => {
  const { pool } = things();
  const request = new PoolContext();
  request.take(pool);
  const given = request.take(pool);
  request.take(pool);
  pool.give(given);
  assert.throws(() => request.end(), /was not taken/);
  assert.equal(pool.stats.taken, 0);
});

test("a registry counts pools of one name together, and does not keep them", async () => {
  const registry = new PoolRegistry();
  const first = registry.add("things", things().pool);
  const second = registry.add("things", things().pool);
  first.take();
  second.give(second.take());
  second.take();
  assert.deepEqual([...registry.stats()], [["things", { taken: 2, created: 2, reused: 1, dropped: 0 }]]);
});

test("what is not given back to a pool of the thread is told, with the pool", async () => {
  const pool = threadPools.add("things", things().pool);
  const settle = async (condition: () => boolean): Promise<void> => assert.ok(condition());
  const takes = await withPoolLeakCheck(async () => {
    pool.give(pool.take());
    pool.give(pool.take());
  }, settle);
  assert.equal(takes["things"], 2);
  const leak = withPoolLeakCheck(async () => void pool.take(), settle);
  await assert.rejects(leak, /not all was given back to the pools/);
});
