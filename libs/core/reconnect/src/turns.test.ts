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

test("who comes as a turn ends, at whatever moment, goes behind who waits", async () => {
  for (let moment = 0; moment < 10; moment++) {
    const turns = new Turns(1);
    const ends: (() => void)[] = [];
    const begun: string[] = [];
    const run = async (name: string) => {
      await turns.run(async () => {
        begun.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
      });
    };
    const all = [run("first"), run("waits")];
    ends[0]!();
    for (let i = 0; i < moment; i++) await Promise.resolve();
    all.push(run("comes"));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assert.deepEqual(begun, ["first", "waits"], `moment ${moment}`);
    ends[1]!();
    for (let i = 0; i < 20; i++) await Promise.resolve();
    ends[2]!();
    await Promise.all(all);
  }
});

test("after all were called, as many as may be are under way again", async () => {
  const turns = new Turns(1);
  let underWay = 0;
  const ends: (() => void)[] = [];
  const run = async () => {
    await turns.run(async () => {
      underWay++;
      await new Promise<void>((resolve) => ends.push(resolve));
      underWay--;
    });
  };
  const settled = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const all = [run(), run(), run()];
  turns.callAll();
  all.push(run(), run());
  await settled();
  assert.equal(underWay, 3);
  for (const left of [2, 1, 1, 1, 0]) {
    ends.shift()!();
    await settled();
    assert.equal(underWay, left);
  }
  await Promise.all(all);
});
