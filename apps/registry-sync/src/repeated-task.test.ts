import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { setImmediate as settle } from "node:timers/promises";
import { createLogger } from "@fairlead/logging";
import { RepeatedTask } from "./repeated-task.ts";

const lines: string[] = [];
const logger = createLogger({ service: "test", destination: { write: (line) => void lines.push(line) } });
let runs: PromiseWithResolvers<void>[];
let task: RepeatedTask;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  runs = [];
  lines.splice(0);
  task = new RepeatedTask({
    what: "testing",
    intervalMs: 1000,
    logger,
    run: () => {
      runs.push(Promise.withResolvers<void>());
      return runs.at(-1)!.promise;
    },
  });
});
afterEach(async () => {
  for (const run of runs) run.resolve();
  await task.stop();
  mock.timers.reset();
});

async function tick(ms: number): Promise<void> {
  await settle();
  mock.timers.tick(ms);
  await settle();
}

test("runs at once, then an interval after the end of each run", async () => {
  task.start();
  assert.equal(runs.length, 1);
  await tick(5000);
  assert.equal(runs.length, 1, "one at a time");
  runs[0]!.resolve();
  await tick(999);
  assert.equal(runs.length, 1);
  await tick(1);
  assert.equal(runs.length, 2);
});

test("a trigger during a run leads to exactly one more, right after it", async () => {
  task.start();
  task.trigger();
  task.trigger();
  assert.equal(runs.length, 1);
  runs[0]!.resolve();
  await settle();
  assert.equal(runs.length, 2);
  runs[1]!.resolve();
  await settle();
  assert.equal(runs.length, 2);
  task.trigger();
  assert.equal(runs.length, 3, "between runs at once");
});

test("a failure is logged once, and that it works again", async () => {
  task.start();
  for (let count = 0; count < 3; count++) {
    runs.at(-1)!.reject(new Error("away"));
    await tick(1000);
  }
  runs.at(-1)!.resolve();
  await tick(0);
  const messages = lines.map((line) => String(JSON.parse(line).msg));
  assert.deepEqual(messages, ["testing: failed, it is tried again", "testing: works again"]);
});

test("stop waits for the run under way, and nothing runs after it", async () => {
  task.start();
  let stopped = false;
  const stopping = task.stop().then(() => (stopped = true));
  await settle();
  assert.equal(stopped, false);
  runs[0]!.resolve();
  await stopping;
  task.trigger();
  await tick(5000);
  assert.equal(runs.length, 1);
});
