import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusalLog } from "./refusal-log.ts";
import type { Refusal } from "./refusals.ts";

function start() {
  const lines: Record<string, unknown>[] = [];
  const clock = { now: 0 };
  const logger = { warn: (facts: object) => lines.push({ ...facts }) };
  return { lines, clock, log: new RefusalLog(logger as never, () => clock.now) };
}

const refusal: Refusal = {
  typeUrl: "t",
  names: ["a"],
  reason: "bad",
  nonce: "1",
  version: "v",
  atMs: 1,
  provenance: [],
  first: 1,
  last: 1,
};

test("of equal refusals a few are said, and later how many were not; of others each", () => {
  const { log, lines, clock } = start();
  for (let index = 0; index < 20; index++) log.refused(`n${index}`, { ...refusal, nonce: String(index) });
  assert.deepEqual(
    lines.map(({ node }) => node),
    ["n0", "n1", "n2", "n3", "n4"],
  );
  log.refused("other", { ...refusal, reason: "worse" });
  assert.equal(lines.at(-1)?.["node"], "other");
  clock.now = 10_000;
  log.refused("late", refusal);
  assert.deepEqual([lines.at(-1)?.["node"], lines.at(-1)?.["unsaid"]], ["late", 15]);
});

test("a line has the first names and sources, and how many more there are", () => {
  const { log, lines } = start();
  const names = Array.from({ length: 100 }, (_, index) => `r${index}`);
  const provenance = names.map((key) => ({ kind: "service" as const, key }));
  log.refused("n", { ...refusal, names, provenance });
  const [line] = lines;
  assert.deepEqual([line?.["names"], line?.["furtherNames"]], [names.slice(0, 5), 95]);
  assert.deepEqual(line?.["provenance"], provenance.slice(0, 5));
  assert.equal(line?.["furtherProvenance"], 95);
});
