import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdsState } from "@fairlead/proxy-xds-client";
import { statsOf } from "./server-stats.ts";

function stats(told: readonly (readonly [string, number])[], types: readonly object[] = []): Map<string, number> {
  const runtime = { stats: () => new Map(told), listeners: () => [] };
  return statsOf({ state: "LIVE", uptimeMs: 0 }, { connected: true, types } as unknown as AdsState, runtime);
}

test("a proxy in one thread says so, and one in several how many serve", () => {
  assert.equal(stats([]).get("server.concurrency"), 1);
  assert.equal(stats([["server.concurrency", 2]]).get("server.concurrency"), 2);
});

test("what the heap uses is not what is resident", () => {
  const all = stats([]);
  const [allocated, heap, physical] = ["allocated", "heap_size", "physical_size"].map((it) =>
    Number(all.get(`server.memory_${it}`)),
  );
  assert.ok(allocated! > 0 && heap! > 0 && physical! > heap!, `${allocated} ${heap} ${physical}`);
  assert.ok(Math.abs(physical! - process.memoryUsage.rss()) < physical! / 4);
});

test("a type's version is a number that changes with it; a route configuration has it, too", () => {
  const of = (version: string) =>
    stats(
      [["http.in.rds.a.update_attempt", 1]],
      ["cds", "rds"].map((type) => ({
        type,
        version,
        requests: 4,
        accepted: 2,
        rejected: 1,
        failures: 3,
        initialFetchTimeouts: 1,
      })),
    );
  assert.deepEqual(
    ["attempt", "success", "rejected", "failure"].map((it) => of("1").get(`cluster_manager.cds.update_${it}`)),
    [4, 2, 1, 3],
  );
  assert.equal(of("1").get("cluster_manager.cds.init_fetch_timeout"), 1);
  assert.equal(of("").get("cluster_manager.cds.version"), 0);
  // xxHash64, as in Envoy.
  assert.equal(of("1").get("cluster_manager.cds.version"), Number(0xb7b41276360564d4n));
  assert.notEqual(of("2").get("cluster_manager.cds.version"), of("1").get("cluster_manager.cds.version"));
  assert.equal(of("1").get("http.in.rds.a.version"), of("1").get("cluster_manager.cds.version"));
  assert.deepEqual([of("1").get("http.in.rds.a.update_attempt"), of("1").get("http.in.rds.a.update_failure")], [1, 3]);
});
