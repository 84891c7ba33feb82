import assert from "node:assert/strict";
import { test } from "node:test";
import { statsOf } from "./server-stats.ts";

function concurrency(told: readonly (readonly [string, number])[]): number | undefined {
  const runtime = { stats: () => new Map(told), listeners: () => [] };
  return statsOf({ state: "LIVE", uptimeMs: 0 }, { connected: true, types: [] } as never, runtime).get(
    "server.concurrency",
  );
}

test("a proxy in one thread says so, and one in several how many serve", () => {
  assert.equal(concurrency([]), 1);
  assert.equal(concurrency([["server.concurrency", 2]]), 2);
});
