import assert from "node:assert/strict";
import { test } from "node:test";
import { type Module, ModuleGroup } from "./index.ts";

function recording(name: string, log: string[], failing = false): Module {
  return {
    name,
    async start() {
      if (failing) throw new Error(`${name} fails`);
      log.push(`+${name}`);
    },
    async stop() {
      log.push(`-${name}`);
    },
  };
}

test("starts in order, stops in reverse", async () => {
  const log: string[] = [];
  const group = new ModuleGroup("g", [recording("a", log), recording("b", log)]);
  await group.start();
  await group.stop();
  assert.deepEqual(log, ["+a", "+b", "-b", "-a"]);
});

test("what was started before a failure is stopped again", async () => {
  const log: string[] = [];
  const group = new ModuleGroup("g", [recording("a", log), recording("b", log, true)]);
  await assert.rejects(group.start(), /b fails/);
  assert.deepEqual(log, ["+a", "-a"]);
});
