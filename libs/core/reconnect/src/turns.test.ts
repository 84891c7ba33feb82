import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("more than may be under way waits, and a failure gives its turn on", async () => {
  const turns = new Turns(2);
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const run = (name: string, fails = false) =>
    turns.run(async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (fails) throw new Error(name);
    });
  const settled = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const failing = assert.rejects(run("a", true), /a/);
  const others = [run("b"), run("c"), run("d"), run("e")];
  await settled();
  assert.deepEqual(begun, ["a", "b"]);
  ends.shift()!();
  await failing;
  await settled();
  assert.deepEqual(begun, ["a", "b", "c"]);
  turns.callAll();
  await settled();
  assert.deepEqual(begun, ["a", "b", "c", "d", "e"]);
  for (const end of ends) end();
  await Promise.all(others);
});
