import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import * as fc from "fast-check";
import type { Balancer, WeightedHost } from "./balancer.ts";
import { createBalancer } from "./create-balancer.ts";
import { Cluster } from "./cluster.ts";
import { clusterDefaults, type HostHealth, type HostSpec } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";

const context = { wheel: new TimerWheel(), random: () => 0 };

function clusterOf(specs: readonly HostSpec[], healthyPanicPercent = 50): Cluster {
  const cluster = new Cluster({ ...clusterDefaults, name: "c", healthyPanicPercent }, new ClusterStats(), context);
  cluster.setHosts(specs);
  return cluster;
}

function spec(port: number, weight = 1, health: HostHealth = "healthy"): HostSpec {
  return { address: "127.0.0.1", port, weight, health };
}

function hostsOf(weights: readonly number[]): readonly WeightedHost[] {
  return clusterOf(weights.map((weight, i) => spec(i + 1, weight))).hosts.entries;
}

function tally(balancer: Balancer, picks: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = 0; i < picks; i++) {
    const port = balancer.pick()?.port ?? 0;
    counts.set(port, (counts.get(port) ?? 0) + 1);
  }
  return counts;
}

test("in any round, each host comes up as often as its weight says", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(weights, fc.double({ min: 0, max: 0.999, noNaN: true }), (list, at) => {
      const balancer = createBalancer(hostsOf(list), { name: "round_robin", choiceCount: 2, random: () => at });
      const total = list.reduce((sum, weight) => sum + weight, 0);
      const counts = tally(balancer, total * 10);
      for (const [i, weight] of list.entries()) {
        assert(
          Math.abs((counts.get(i + 1) ?? 0) - weight * 10) <= 2,
          `${JSON.stringify(list)} ${JSON.stringify([...counts])}`,
        );
      }
    }),
  );
});

test("a heavy host's turns are spread, not bunched", () => {
  const balancer = createBalancer(hostsOf([3, 1]), { name: "round_robin", choiceCount: 2, random: () => 0 });
  const picks = Array.from({ length: 12 }, () => balancer.pick()?.port).join("");
  assert.doesNotMatch(picks, /11111|22/);
});

test("least request prefers the host with fewer requests, and honours weights", () => {
  const [busy, free] = hostsOf([1, 1]);
  assert(busy !== undefined && free !== undefined);
  busy.host.activeRequests = 5;
  let next = 0;
  const balancer = createBalancer([busy, free], {
    name: "least_request",
    choiceCount: 2,
    random: () => (next++ % 2) / 2,
  });
  assert.deepEqual([...tally(balancer, 10)], [[2, 10]]);
  const [light, heavy] = hostsOf([1, 4]);
  assert(light !== undefined && heavy !== undefined);
  const weighted = createBalancer([light, heavy], { name: "least_request", choiceCount: 2, random: () => 0 });
  assert.equal(tally(weighted, 100).get(2), 80);
});

test("no host is no choice", () => {
  for (const name of ["round_robin", "random", "least_request"] as const) {
    assert.equal(createBalancer([], { name, choiceCount: 2, random: () => 0 }).pick(), undefined);
  }
});

test("health decides who is chosen; too little of it is panic; a draining host is never chosen", () => {
  const chosen = (cluster: Cluster): number[] =>
    [...new Set(Array.from({ length: 20 }, () => cluster.pickHost()?.port ?? 0))].toSorted((a, b) => a - b);
  assert.deepEqual(chosen(clusterOf([spec(1), spec(2, 1, "unhealthy")])), [1]);
  assert.deepEqual(chosen(clusterOf([spec(1), spec(2, 1, "degraded")])), [1]);
  assert.deepEqual(chosen(clusterOf([spec(1, 1, "degraded"), spec(2, 1, "draining")])), [1]);
  assert.deepEqual(
    chosen(clusterOf([spec(1), spec(2, 1, "unhealthy"), spec(3, 1, "unhealthy"), spec(4, 1, "draining")])),
    [1, 2, 3],
  );
  assert.deepEqual(chosen(clusterOf([spec(1, 1, "unhealthy")], 0)), [0]);
  assert.deepEqual(chosen(clusterOf([spec(1, 1, "draining")])), [0]);
});

test("a host that stays is the same host; one that left is not chosen", () => {
  const cluster = clusterOf([spec(1), spec(2)]);
  const [first] = cluster.hosts.entries;
  cluster.setHosts([spec(1, 5), spec(3)]);
  assert.equal(cluster.hosts.entries[0]?.host, first?.host);
  assert.deepEqual(
    [...tally(cluster.hosts, 60).keys()].toSorted((a, b) => a - b),
    [1, 3],
  );
  assert.equal(cluster.stats.membership_total, 2);
});

test("hosts to avoid are avoided while there are others", () => {
  const cluster = clusterOf([spec(1), spec(2)]);
  const failed = cluster.pickHost();
  assert(failed !== undefined);
  for (let i = 0; i < 4; i++) assert.notEqual(cluster.pickHost({ avoid: new Set([failed]), avoidAttempts: 3 }), failed);
  assert.equal(clusterOf([spec(1)]).pickHost({ avoid: new Set([failed]), avoidAttempts: 3 })?.port, 1);
});
