import assert from "node:assert/strict";
import { test } from "node:test";
import { BEAT_MS, Heart } from "./thread-beats.ts";
import { Watchdog } from "./watchdog.ts";

test("a thread that is silent is counted once a silence, while it lasts", () => {
  let now = 10_000;
  const watchdog = new Watchdog(3, { now: () => now });
  try {
    const misses = (prefix: string): number[] => {
      const stats = new Map(watchdog.stats());
      return ["miss", "mega_miss"].map((kind) => stats.get(`${prefix}.watchdog_${kind}`) ?? -1);
    };
    watchdog.look();
    assert.deepEqual(misses("workers"), [0, 0], "none has begun");
    watchdog.beats.note(1, now, 0);
    watchdog.beats.note(2, now, 0);
    const after = (ms: number): void => {
      now += ms;
      watchdog.beats.note(2, now, 0);
      watchdog.look();
    };
    after(200);
    assert.deepEqual(misses("server.worker_0"), [0, 0]);
    after(1);
    after(300);
    assert.deepEqual(misses("server.worker_0"), [1, 0]);
    after(500);
    after(500);
    assert.deepEqual(misses("server.worker_0"), [1, 1]);
    watchdog.beats.note(1, now, 0);
    after(300);
    assert.deepEqual(misses("server.worker_0"), [2, 1]);
    assert.deepEqual(misses("server.worker_1"), [0, 0]);
    assert.deepEqual([misses("workers"), misses("server"), misses("main_thread")], [[2, 1], [2, 1], [0, 0]]); // prettier-ignore
    watchdog.beats.forget(1);
    after(5000);
    assert.deepEqual(misses("workers"), [2, 1], "one that has ended is not silent");
  } finally {
    watchdog.close();
  }
});

test("a thread counts its own silence when it is over", () => {
  const watchdog = new Watchdog(1);
  try {
    watchdog.onLate(100);
    watchdog.onLate(200);
    watchdog.onLate(1000);
    const stats = new Map(watchdog.stats());
    assert.deepEqual([stats.get("main_thread.watchdog_miss"), stats.get("main_thread.watchdog_mega_miss")], [2, 1]);
    assert.equal(stats.get("server.watchdog_miss"), 2);
    assert.equal(stats.has("workers.watchdog_miss"), false);
  } finally {
    watchdog.close();
  }
});

test("how late a thread was is told for a second or two", () => {
  let now = 0;
  const delays: number[] = [];
  const heart = new Heart(
    (_now, _late, delayMs) => delays.push(delayMs),
    () => now,
  );
  const beatAfter = (ms: number): number => {
    now += ms;
    heart.beat();
    return delays.at(-1)!;
  };
  assert.deepEqual([beatAfter(BEAT_MS), beatAfter(BEAT_MS + 300), beatAfter(BEAT_MS)], [0, 300, 300]);
  for (let i = 0; i < 20; i++) beatAfter(BEAT_MS);
  assert.equal(beatAfter(BEAT_MS), 300, "the window before");
  for (let i = 0; i < 20; i++) beatAfter(BEAT_MS);
  assert.equal(beatAfter(BEAT_MS), 0);
});
