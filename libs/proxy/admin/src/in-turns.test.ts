import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurns } from "./in-turns.ts";

/** How many turns of the event loop there were while all was read; each look at the clock takes so long. */
async function turnsOf(pieces: readonly string[], lookMs: number): Promise<{ read: string[]; turns: number }> {
  const read: string[] = [];
  let turns = 0;
  let reading = true;
  const count = (): void => {
    if (!reading) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  let nowMs = 0;
  for await (const piece of inTurns(pieces, () => (nowMs += lookMs))) read.push(piece);
  reading = false;
  return { read, turns };
}

test("a page that takes long leaves the event loop its turns, a short one is made at once", async () => {
  const pieces = ["a", "", "b", "", "c"];
  assert.deepEqual(await turnsOf(pieces, 0), { read: ["a", "b", "c"], turns: 0 });
  const { read, turns } = await turnsOf(pieces, 10);
  assert.deepEqual(read, ["a", "b", "c"]);
  assert.ok(turns >= 4, `${turns}`);
});
