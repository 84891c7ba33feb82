import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  defaultOverloadActions,
  descriptorShare,
  memoryLimitBytes,
  openFileLimit,
  OverloadManager,
  OverloadStats,
  parseOverloadActions,
} from "./index.ts";

function managerOf(actions: string) {
  const used = { memory: 0, heap: 0, connections: 0 };
  const stats = new OverloadStats();
  const changes: string[] = [];
  const manager = new OverloadManager({
    triggers: parseOverloadActions(actions),
    pressures: { memory: () => used.memory, heap: () => used.heap, connections: () => used.connections },
    stats,
    onChange: (action, active) => changes.push(`${action} ${active}`),
  });
  return { used, stats, changes, manager, state: manager.state };
}

test("an action is done from its threshold on, and no more below it", () => {
  const { used, stats, changes, manager, state } = managerOf("stop_accepting_requests=memory:0.95");
  for (const [memory, stops] of [
    [0.94, false],
    [0.95, true],
    [1.2, true],
    [0.5, false],
  ] as const) {
    used.memory = memory;
    manager.look();
    assert.equal(state.stopsRequests, stops, String(memory));
    assert.equal(stats["envoy.overload_actions.stop_accepting_requests.active"], stops ? 1 : 0);
    assert.equal(stats["envoy.resource_monitors.cgroup_memory.pressure"], Math.round(memory * 100));
  }
  assert.deepEqual(changes, ["stop_accepting_requests true", "stop_accepting_requests false"]);
  manager.close();
});

test("time-outs become shorter bit by bit, and never nothing", () => {
  const { used, stats, manager, state } = managerOf("reduce_timeouts=memory:0.8-0.9");
  const scales = [0.8, 0.85, 0.9, 1].map((memory) => {
    used.memory = memory;
    manager.look();
    return Math.round(state.timeoutScale * 100) / 100;
  });
  assert.deepEqual(scales, [1, 0.55, 0.1, 0.1]);
  assert.equal(stats["envoy.overload_actions.reduce_timeouts.scale_percent"], 100);
  manager.close();
});

test("of several triggers the strongest counts, and each action has its own", () => {
  const { used, manager, state } = managerOf(defaultOverloadActions);
  used.heap = 0.96;
  manager.look();
  assert.deepEqual(
    [state.stopsRequests, state.disablesKeepAlive, state.rejectsConnections, state.stopsConnections],
    [true, true, false, false],
  );
  used.memory = 0.99;
  used.connections = 1;
  manager.look();
  assert.deepEqual([state.rejectsConnections, state.stopsConnections], [true, true]);
  used.memory = 0;
  used.heap = 0;
  used.connections = 0.99;
  manager.look();
  assert.deepEqual(state, managerOf("").state);
  manager.close();
});

test("what cannot be read is refused with the part that is wrong", () => {
  assert.deepEqual([parseOverloadActions(""), parseOverloadActions("off")], [[], []]);
  for (const [text, why] of [
    ["stop_accepting_requests", /it is not <action>/],
    ["stop=memory:0.9", /no action stop;/],
    ["reduce_timeouts=disk:0.9", /no resource disk;/],
    ["reduce_timeouts=memory:0.9-0.8", /first is not the larger/],
    ["stop_accepting_requests=memory:1.5", /at most 1/],
    ["stop_accepting_requests=memory:0.8-0.9", /has one share/],
  ] as const)
    assert.throws(() => parseOverloadActions(text), { code: "FL_OVERLOAD_ACTIONS_INVALID", message: why });
});

test("the limit is the cgroup's, where it has one", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-overload-"));
  try {
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const missing = join(folder, "missing");
    assert.equal(memoryLimitBytes([missing, file("a", "134217728\n")]), 134_217_728);
    assert.equal(memoryLimitBytes([file("b", "max\n")]), undefined);
    assert.equal(memoryLimitBytes([file("c", "9223372036854771712\n")]), undefined);
    assert.equal(memoryLimitBytes([missing]), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("file descriptors: the limit of the process, and what connections take of it", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-limits-"));
  const file = join(folder, "limits");
  const limitOf = (soft: string): number | undefined => {
    writeFileSync(file, `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}     4096     files\n`);
    return openFileLimit(file);
  };
  assert.deepEqual([limitOf("1024"), limitOf("unlimited"), openFileLimit(join(folder, "none"))], [1024, undefined, undefined]); // prettier-ignore
  rmSync(folder, { recursive: true });
  assert.ok(openFileLimit()! > 0);
  assert.deepEqual([descriptorShare(0, 128), descriptorShare(32, 128), descriptorShare(480, 1024)], [0.5, 1, 1]);
});
