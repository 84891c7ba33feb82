import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import type { WeightedHost } from "./balancer.ts";
import { createBalancer } from "./create-balancer.ts";
import { Cluster } from "./cluster.ts";
import { clusterDefaults } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import type { Host } from "./host.ts";
import { xxHash64 } from "./xx-hash.ts";

function hostsOf(weights: readonly number[]): readonly WeightedHost[] {
  const cluster = new Cluster({ ...clusterDefaults, name: "c" }, new ClusterStats(), {
    wheel: new TimerWheel(),
    random: () => 0,
  });
  cluster.setHosts(weights.map((weight, i) => ({ address: "10.0.0.1", port: i + 1, weight, health: "healthy" })));
  return cluster.hosts.entries;
}

const KEYS = 20_000;

function tally(hosts: readonly WeightedHost[], name: "ring_hash" | "maglev"): Map<number, number> {
  const balancer = createBalancer(hosts, { name, choiceCount: 2, random: () => 0 });
  const counts = new Map<number, number>();
  for (let i = 0; i < KEYS; i++) {
    const port = balancer.pick({ hash: xxHash64(`key-${i}`) })?.port ?? 0;
    counts.set(port, (counts.get(port) ?? 0) + 1);
  }
  return counts;
}

for (const [name, tolerance] of [
  ["maglev", 0.05],
  ["ring_hash", 0.35],
] as const) {
  test(`${name}: keys are spread by the weights`, () => {
    const weights = [1, 1, 2, 4];
    const counts = tally(hostsOf(weights), name);
    for (const [i, weight] of weights.entries()) {
      const expected = (KEYS * weight) / 8;
      const found = counts.get(i + 1) ?? 0;
      assert(Math.abs(found - expected) < expected * tolerance, `${i + 1}: ${found} of ${expected}`);
    }
  });

  test(`${name}: when a host goes, few keys of the others move`, () => {
    const hosts = hostsOf([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const before = createBalancer(hosts, { name, choiceCount: 2, random: () => 0 });
    const after = createBalancer(hosts.slice(1), { name, choiceCount: 2, random: () => 0 });
    let moved = 0;
    for (let i = 0; i < KEYS; i++) {
      const hash = xxHash64(`key-${i}`);
      const host = before.pick({ hash });
      if (host !== hosts[0]?.host && after.pick({ hash }) !== host) moved++;
    }
    assert(moved < KEYS * (name === "maglev" ? 0.03 : 0.12), `${moved} moved`);
  });

  test(`${name}: another attempt finds another host`, () => {
    const balancer = createBalancer(hostsOf([1, 1, 1]), { name, choiceCount: 2, random: () => 0 });
    const found = new Set<Host | undefined>();
    for (let attempt = 0; attempt < 20; attempt++) found.add(balancer.pick({ hash: xxHash64("key") }, attempt));
    assert.equal(found.size, 3);
  });
}

for (const name of ["ring_hash", "maglev"] as const) {
  test(`${name}: a host that has more than its share passes requests of its keys on, always to the same ones`, () => {
    const hosts = hostsOf([1, 1, 1, 1]);
    const options = { name, choiceCount: 2, random: () => 0, hashBalancePercent: 125 };
    const balancer = createBalancer(hosts, options);
    const hash = xxHash64("a busy key");
    const first = balancer.pick({ hash });
    const taken = Array.from({ length: 400 }, () => {
      const host = balancer.pick({ hash });
      assert(host !== undefined);
      host.activeRequests++;
      return host;
    });
    assert.equal(taken[0], first);
    const most = Math.max(...hosts.map(({ host }) => host.activeRequests));
    assert(most <= 126, `${most} of 400 are more than 1.25 times the average`);
    for (const { host } of hosts) host.activeRequests = 0;
    const again = Array.from({ length: 400 }, () => {
      const host = balancer.pick({ hash });
      host!.activeRequests++;
      return host;
    });
    assert.deepEqual(
      again.map((host) => host?.port),
      taken.map((host) => host.port),
    );
    for (const { host } of hosts) host.activeRequests = 0;
    assert.equal(balancer.pick({ hash }), first);
  });
}

test("a bounded load respects weights", () => {
  const hosts = hostsOf([1, 3]);
  const balancer = createBalancer(hosts, { name: "maglev", choiceCount: 2, random: () => 0, hashBalancePercent: 100 });
  for (let i = 0; i < 400; i++) balancer.pick({ hash: 1n })!.activeRequests++;
  assert.deepEqual(
    hosts.map(({ host }) => host.activeRequests),
    [100, 300],
  );
});

test("the ring is Envoy's: the points of each host are the hashes of its address and a number", () => {
  const hosts = hostsOf([1, 1]);
  const balancer = createBalancer(hosts, {
    name: "ring_hash",
    choiceCount: 2,
    minRingSize: 4,
    maxRingSize: 4,
    random: () => 0,
  });
  const points = hosts
    .flatMap(({ host }) => [0, 1].map((i) => ({ hash: xxHash64(`10.0.0.1:${host.port}_${i}`), host })))
    .toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
  for (const { hash, host } of points) assert.equal(balancer.pick({ hash }), host);
  assert.equal(balancer.pick({ hash: (points.at(-1)?.hash ?? 0n) + 1n }), points[0]?.host);
});

test("a new host begins with a small share and grows", () => {
  const hosts = hostsOf([1, 1]);
  let now = 100_000;
  const [old, fresh] = hosts;
  assert(old !== undefined && fresh !== undefined);
  old.host.readySinceMs = 0;
  fresh.host.readySinceMs = now;
  const slowStart = { windowMs: 60_000, aggression: 1, minWeightPercent: 10 };
  const share = (): number => {
    const balancer = createBalancer(hosts, {
      name: "round_robin",
      choiceCount: 2,
      slowStart,
      random: () => 0,
      now: () => now,
    });
    let count = 0;
    for (let i = 0; i < 1100; i++) if (balancer.pick() === fresh.host) count++;
    return count;
  };
  assert(Math.abs(share() - 100) < 10);
  now += 30_000;
  assert(Math.abs(share() - 366) < 10);
  now += 30_000;
  assert.equal(share(), 550);
});
