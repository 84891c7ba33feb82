import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./until.ts";

void test("a condition is asked until it holds, also one that takes its time", async () => {
  let asked = 0;
  assert.equal(await until("three", () => ++asked === 3), true);
  assert.equal(asked, 3);
  await until("six", async () => ++asked === 6);
  assert.equal(asked, 6);
});

void test("what was found is given, and nought and the empty text are something", async () => {
  const values = [undefined, false, 0] as const;
  let asked = 0;
  assert.equal(await until("a number", () => values[asked++]), 0);
  assert.equal(asked, 3);
  assert.equal(await until("a text", () => ""), "");
});

void test("at the deadline it is said what was waited for", async () => {
  await assert.rejects(
    until("the sea", () => false, 20),
    { message: "the sea: not within 20 ms" },
  );
});

void test("a condition that throws ends the wait with its error", async () => {
  let asked = 0;
  const broken = async (): Promise<boolean> => {
    asked++;
    throw new Error("refused");
  };
  await assert.rejects(until("an answer", broken), { message: "refused" });
  assert.equal(asked, 1);
});
