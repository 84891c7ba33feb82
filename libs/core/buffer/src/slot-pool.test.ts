import assert from "node:assert/strict";
import { test } from "node:test";
import { SlotPool } from "./slot-pool.ts";
import { withLeakCheck } from "./testing/leak-check.ts";

test("slots are powers of two, and what was given back is taken again", () => {
  const pool = new SlotPool();
  const first = pool.take(100);
  assert.equal(first.bytes.length, 128);
  assert.equal(pool.take(1).bytes.length, 64);
  assert.equal(pool.take(128).bytes.length, 128);
  assert.equal(pool.take(129).bytes.length, 256);
  first.release();
  assert.equal(pool.take(65).bytes, first.bytes);
  assert.deepEqual(pool.stats, { taken: 4, freeBytes: 0, reused: 1, created: 4, dropped: 0 });
});

test("it keeps no more than its limit, and nothing that is larger than its largest slot", () => {
  const pool = new SlotPool({ maxFreeBytes: 1000, maxSlotBytes: 512 });
  const slabs = [pool.take(512), pool.take(512), pool.take(256), pool.take(600)];
  assert.equal(slabs[3]!.bytes.length, 600);
  for (const slab of slabs) slab.release();
  assert.deepEqual(pool.stats, { taken: 0, freeBytes: 768, reused: 0, created: 4, dropped: 2 });
});

test("memory goes back with its last holder, and not twice", () => {
  const pool = new SlotPool();
  const slab = pool.take(64);
  slab.retain();
  slab.release();
  assert.equal(pool.stats.taken, 1);
  slab.release();
  assert.equal(pool.stats.taken, 0);
  assert.throws(() => slab.release(), /given back twice/);
  assert.throws(() => slab.retain(), /after it was given back/);
});

test("the leak check tells what was not given back, and where it was taken", async () => {
  await assert.rejects(
    withLeakCheck(({ pool }) => void pool.take(64)),
    /1 were not given back:\na slot of 64 bytes, taken[^]*slot-pool\.test\.ts/,
  );
  await assert.rejects(
    withLeakCheck((check) => check.addReference(check.chain(), Buffer.from("abc"))),
    /a reference to 3 bytes/,
  );
  await withLeakCheck(({ chain }) => {
    const bytes = chain();
    bytes.append(Buffer.from("abc"));
    bytes.clear();
  });
});
