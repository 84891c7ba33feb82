import assert from "node:assert/strict";
import { test } from "node:test";
import { TestTally } from "./tally.ts";

function tallyOf(...events: Parameters<TestTally["event"]>[0][]): { lines: string[]; ok: boolean } {
  const lines: string[] = [];
  const tally = new TestTally((line) => lines.push(line));
  for (const event of events) tally.event(event);
  return { ok: tally.finish(), lines };
}

const pass = { type: "test:pass", data: { name: "a", file: "/x/a.test.ts", details: { duration_ms: 1 } } };

test("the last line is the count", () => {
  const { ok, lines } = tallyOf(pass, pass);
  assert.equal(lines.at(-1), "2 passed, 0 failed");
  assert.equal(ok, true);
});

test("a failure is printed with its cause, and its suite is not counted again", () => {
  const cause = new Error("the cause");
  const failed = {
    type: "test:fail",
    data: { name: "b", file: "/x/a.test.ts", details: { error: Object.assign(new Error("w"), { cause }) } },
  };
  const suite = {
    type: "test:fail",
    data: {
      name: "s",
      file: "/x/a.test.ts",
      details: { error: Object.assign(new Error("w"), { failureType: "subtestsFailed" }) },
    },
  };
  const { ok, lines } = tallyOf(pass, failed, suite);
  assert.equal(lines.at(-1), "1 passed, 1 failed");
  assert.match(lines.join("\n"), /the cause/);
  assert.equal(ok, false);
});

test("a skipped test counts as failed, and no test at all is no success", () => {
  assert.equal(
    tallyOf({ type: "test:pass", data: { ...pass.data, skip: "no server" } }).lines.at(-1),
    "0 passed, 1 failed",
  );
  assert.equal(tallyOf().ok, false);
});
