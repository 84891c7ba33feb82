import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import * as fc from "fast-check";
import { type ClusterConfig, clusterDefaults, type HostSpec } from "./cluster-config.ts";
import { ClusterManager } from "./cluster-manager.ts";
import { type ZoneAwareRouting, zoneShares } from "./zone-aware.ts";

const routing: ZoneAwareRouting = { routingPercent: 100, minClusterSize: 1, failsOnPanic: false };

/** Hosts of localities `a`, `b` … */
function hostsIn(counts: readonly number[], health: HostSpec["health"] = "healthy"): HostSpec[] {
  return counts.flatMap((count, zone) =>
    Array.from({ length: count }, (_host, i) => ({
      address: `10.0.${zone}.${i}`,
      port: 80,
      weight: 1,
      health,
      locality: "abc".charAt(zone),
    })),
  );
}

/** Evenly from 0 to 1, again and again. */
function even(): () => number {
  let next = 0;
  return () => (next = (next + 0.618_033_988_75) % 1);
}

function managerOf(
  hosts: readonly HostSpec[],
  callers: readonly HostSpec[],
  init: Partial<ClusterConfig> = {},
): ClusterManager {
  const zone = { locality: "a", cluster: "callers" };
  const manager = new ClusterManager({ wheel: new TimerWheel(), random: even(), zone });
  manager.set({ ...clusterDefaults, name: "callers" }, callers);
  manager.set({ ...clusterDefaults, name: "c", zoneAware: routing, ...init }, hosts);
  return manager;
}

/** The share of each locality in the requests. */
function sharesOf(manager: ClusterManager): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 4000; i++) {
    const zone = "abc".charAt(Number(manager.get("c")?.pickHost()?.address.split(".")[2]));
    counts[zone] = (counts[zone] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([zone, count]) => [zone, Math.round(count / 40)]));
}

test("requests stay where hosts are as many as the callers are worth, others go where there is room", () => {
  assert.deepEqual(sharesOf(managerOf(hostsIn([2, 2]), hostsIn([1, 1]))), { a: 100 });
  assert.deepEqual(sharesOf(managerOf(hostsIn([1, 3]), hostsIn([1, 1]))), { a: 50, b: 50 });
  assert.deepEqual(sharesOf(managerOf(hostsIn([1, 2, 1]), hostsIn([2, 1, 1]))), { a: 50, b: 50 });
});

test("what callers come and go changes who serves", () => {
  const manager = managerOf(hostsIn([1, 3]), hostsIn([1, 3]));
  assert.deepEqual(sharesOf(manager), { a: 100 });
  manager.setHosts("callers", hostsIn([3, 1]));
  assert.deepEqual(sharesOf(manager), { a: 33, b: 67 });
});

test("requests go everywhere where hosts are too few, or nothing is known of callers or of the own zone", () => {
  const everywhere = { a: 50, b: 50 };
  const few = { zoneAware: { ...routing, minClusterSize: 5 } };
  assert.deepEqual(sharesOf(managerOf(hostsIn([2, 2]), hostsIn([1, 1]), few)), everywhere);
  assert.deepEqual(sharesOf(managerOf(hostsIn([2, 2]), [])), everywhere);
  assert.deepEqual(sharesOf(managerOf(hostsIn([2, 2]), hostsIn([1, 1], "unhealthy"))), everywhere);
  assert.deepEqual(sharesOf(managerOf(hostsIn([0, 2, 2]), hostsIn([1, 1, 1]))), { b: 50, c: 50 });
  const half = { zoneAware: { ...routing, routingPercent: 50 } };
  assert.deepEqual(sharesOf(managerOf(hostsIn([2, 2]), hostsIn([1, 1]), half)), { a: 75, b: 25 });
});

test("a cluster in panic has no host where that is wanted", () => {
  const hosts = [...hostsIn([0, 3], "unhealthy"), ...hostsIn([1])];
  assert.notEqual(managerOf(hosts, []).get("c")?.pickHost(), undefined);
  const strict = { zoneAware: { ...routing, failsOnPanic: true } };
  assert.equal(managerOf(hosts, [], strict).get("c")?.pickHost(), undefined);
});

test("the shares are one in all", () => {
  const counts = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(50)), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(counts, fc.nat(20), (localities, elsewhere) => {
      const callers = localities.map(([, count]) => count);
      const all = callers.reduce((sum, count) => sum + count, elsewhere);
      const shares = zoneShares(
        localities.map(([count]) => count),
        callers,
        all,
      );
      if (all === 0) return shares === undefined;
      const sum = shares!.reduce((total, share) => total + share, 0);
      return Math.abs(sum - 1) < 1e-9 && shares!.every((share) => share >= 0);
    }),
  );
});
