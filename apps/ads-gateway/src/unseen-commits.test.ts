import assert from "node:assert/strict";
import { test } from "node:test";
import type { TouchedNames } from "@fairlead/snapshot";
import { UnseenCommits } from "./unseen-commits.ts";

const touching = (typeUrl: string, ...names: string[]): TouchedNames => new Map([[typeUrl, new Set(names)]]);

function after(...commits: readonly TouchedNames[]): UnseenCommits {
  let unseen: UnseenCommits | undefined;
  for (const [index, touched] of commits.entries())
    unseen = UnseenCommits.with(unseen, touched, { revision: index + 1 });
  assert.ok(unseen);
  return unseen;
}

test("all that the commits touched is together, and from the first revision to the last", () => {
  const unseen = after(touching("e", "a"), touching("e", "b"), touching("r", "a"));
  assert.deepEqual(
    unseen.touched,
    new Map([
      ["e", new Set(["a", "b"])],
      ["r", new Set(["a"])],
    ]),
  );
  assert.deepEqual([unseen.first, unseen.last], [1, 3]);
});

test("to ask in between takes nothing from what comes after", () => {
  const [one, two, three] = [touching("e", "a"), touching("e", "b"), touching("e", "c")];
  const first = UnseenCommits.with(undefined, one, { revision: 1 });
  const second = UnseenCommits.with(first, two, { revision: 2 });
  const third = UnseenCommits.with(second, three, { revision: 3 });
  assert.deepEqual(second.touched.get("e"), new Set(["a", "b"]));
  assert.deepEqual(third.touched.get("e"), new Set(["a", "b", "c"]));
  assert.deepEqual(first.touched, one);
});

test("streams that wait for the same share it, and what is put together for one is there for all", () => {
  const [one, two] = [touching("e", "a"), touching("e", "b")];
  const [a, b] = [after(one, two), after(one, two)];
  assert.equal(a, b);
  assert.equal(a.touched, b.touched);
  assert.notEqual(after(one, touching("e", "c")), a);
});

test("thousands of commits before anybody asks", () => {
  const commits = Array.from({ length: 20_000 }, (_, index) => touching("e", `n${index % 10}`));
  assert.equal(after(...commits).touched.get("e")?.size, 10);
});
