import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_MS, LongSilences } from "./long-silence.ts";
import { ThreadBeats } from "./thread-beats.ts";

function threads(maxSilentMs: number) {
  let now = 10_000;
  const beats = new ThreadBeats(3);
  const silences = new LongSilences(beats, maxSilentMs, () => now);
  const beat = (...of: readonly number[]): void => of.forEach((thread) => beats.note(thread, now, 0));
  const look = (afterMs = LOOK_MS) => {
    now += afterMs;
    return silences.look();
  };
  return { beats, beat, look };
}

test("a thread that is silent for longer than it may be is found", () => {
  const { beats, beat, look } = threads(300);
  assert.equal(look(5000), undefined, "none has begun");
  beat(0, 1);
  assert.equal(look(), undefined);
  for (let ms = LOOK_MS; ms <= 300; ms += LOOK_MS) {
    beat(0);
    assert.equal(look(), undefined);
  }
  beat(0);
  assert.deepEqual(look(), { thread: 1, silentMs: 400 });
  beat(1);
  assert.equal(look(), undefined, "it goes on");
  beats.forget(0);
  beats.forget(1);
  for (let i = 0; i < 10; i++) assert.equal(look(), undefined, "they have ended");
});

test("a process that was stopped for an hour was not stuck", () => {
  const { beat, look } = threads(300);
  beat(0);
  look();
  assert.equal(look(3_600_000), undefined);
  beat(0);
  assert.equal(look(), undefined);
});
