import assert from "node:assert/strict";
import { test } from "node:test";
import { ObjectPool } from "./object-pool.ts";
import { PoolContext } from "./pool-context.ts";
import { PoolRegistry } from "./pool-registry.ts";

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

test("the end of a request gives back all that it and its response have taken", () => {
  const { pool } = things();
  const request = new PoolContext();
  const response = new PoolContext();
  request.take(pool);
  response.take(pool);
  response.moveTo(request);
  response.end();
  assert.equal(pool.stats.taken, 2);
  request.end();
  assert.equal(pool.stats.taken, 0);
  assert.throws(() => request.take(pool), /has ended/);
  const late = new PoolContext();
  late.take(pool);
  late.moveTo(request);
  assert.equal(pool.stats.taken, 0);
});

test("a registry knows its pools by name", () => {
  const registry = new PoolRegistry();
  const { kind, destroyed } = things();
  const pool = registry.register<Thing>(kind);
  assert.throws(() => registry.register<Thing>(kind), /already/);
  pool.give(pool.take());
  assert.equal(registry.stats().get("things")?.free, 1);
  registry.close();
  assert.deepEqual(destroyed, [1]);
});
