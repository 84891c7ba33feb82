import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { QuestionLane } from "./question-lane.ts";

/** Questions that are answered when the test says so. */
function questions(total: number, perAddress: number) {
  const lane = new QuestionLane({ total, perAddress });
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const ask = (address: string, name: string) =>
    lane.run(address, async () => {
      asked.push(name);
      await new Promise<void>((resolve) => answers.set(name, resolve));
      return name;
    });
  return { ask, asked, answers };
}

test("one address takes no more than its part, and the others are asked meanwhile", async () => {
  const { ask, asked, answers } = questions(3, 2);
  const all = [ask("a", "a1"), ask("a", "a2"), ask("a", "a3"), ask("b", "b1"), ask("c", "c1")];
  await turn();
  assert.deepEqual(asked, ["a1", "a2", "b1"]);
  answers.get("a1")!();
  await turn();
  assert.deepEqual(asked, ["a1", "a2", "b1", "c1"]);
  for (const name of ["c1", "b1"]) answers.get(name)!();
  await turn();
  assert.equal(asked.at(-1), "a3");
  for (const name of ["a2", "a3"]) answers.get(name)!();
  assert.deepEqual(await Promise.all(all), ["a1", "a2", "a3", "b1", "c1"]);
});

test("addresses take turns, and a question that fails makes room as one that is answered", async () => {
  const { ask, asked, answers } = questions(1, 1);
  const lane = new QuestionLane({ total: 1, perAddress: 1 });
  await assert.rejects(
    lane.run("a", async () => await Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await lane.run("a", async () => 7), 7);
  const all = [ask("a", "a1"), ask("a", "a2"), ask("a", "a3"), ask("b", "b1")];
  for (let left = all.length; left > 0; left--) {
    await turn();
    answers.get(asked.at(-1)!)!();
  }
  await Promise.all(all);
  assert.deepEqual(asked, ["a1", "b1", "a2", "a3"]);
});
