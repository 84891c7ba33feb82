import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "./progress.ts";
import { plainStyle, styleFor } from "./style.ts";

function recorder(isTTY: boolean, columns?: number) {
  let text = "";
  return {
    isTTY,
    ...(columns === undefined ? {} : { columns }),
    write: (more: string) => (text += more),
    text: () => text,
  };
}

test("without a terminal: a line a step, when it is done, with its time", async () => {
  const output = recorder(false);
  let now = 0;
  const progress = new Progress(output, plainStyle, () => now);
  await progress.step(
    "PostgreSQL",
    async () => (now = 1234),
    () => "127.0.0.1:5432",
  );
  await assert.rejects(
    progress.step("control plane", async () => await Promise.reject(new Error("no"))),
    /no/,
  );
  progress.transient("only for terminals");
  assert.equal(
    output.text(),
    "  ✓ PostgreSQL                   127.0.0.1:5432  1.2 s\n  ✗ control plane                0 ms\n",
  );
});

test("on a terminal the steps that run are on a line that is written over", async () => {
  const output = recorder(true);
  const progress = new Progress(output, plainStyle, () => 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const step = progress.step("one", async () => await promise);
  assert.ok(output.text().endsWith("\r\u001B[K  … one"));
  resolve();
  await step;
  assert.ok(output.text().endsWith("\n"));
});

test("what is written over stays in one row", () => {
  const output = recorder(true, 10);
  new Progress(output, plainStyle).transient("more than ten columns");
  assert.equal(output.text(), "\r\u001B[Kmore than");
});

test("colours only on a terminal that wants them", () => {
  assert.equal(styleFor({ isTTY: true }, {})("green", "x"), "\u001B[32mx\u001B[39m");
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: "1" })("green", "x"), "x");
  assert.equal(styleFor({}, {})("green", "x"), "x");
});
