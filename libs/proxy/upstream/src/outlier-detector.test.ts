import assert from "node:assert/strict";
import { test } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import { Cluster } from "./cluster.ts";
import { clusterDefaults } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import type { Host } from "./host.ts";
import { type OutlierDetection, outlierDefaults } from "./outlier-config.ts";
import { OutlierDetector } from "./outlier-detector.ts";

function detect(count: number, config: Partial<OutlierDetection>) {
  const stats = new ClusterStats();
  const wheel = new TimerWheel();
  const cluster = new Cluster({ ...clusterDefaults, name: "c" }, stats, { wheel, random: () => 0 });
  cluster.setHosts(
    Array.from({ length: count }, (_host, i) => ({
      address: "10.0.0.1",
      port: i + 1,
      weight: 1,
      health: "healthy" as const,
    })),
  );
  const hosts = cluster.hosts.entries.map(({ host }) => host);
  const clock = { now: 0, changes: 0 };
  const detector = new OutlierDetector({
    config: { ...outlierDefaults, maxEjectionPercent: 100, ...config },
    stats: stats.outlier,
    wheel,
    now: () => clock.now,
    random: () => 0,
    onChange: () => clock.changes++,
  });
  detector.setHosts(hosts);
  const fail = (host: Host | undefined, times: number, status = 500): void => {
    for (let i = 0; i < times; i++) host?.monitor?.onResponse(status, undefined);
  };
  const at = (ms: number): void => {
    clock.now = ms;
    detector.onDeadline();
  };
  return { hosts, stats: stats.outlier, clock, detector, fail, at };
}

test("a host is out after five 5xx in a row, longer each time, and comes back", () => {
  const { hosts, stats, clock, fail, at } = detect(3, {});
  const [host] = hosts;
  fail(host, 4);
  fail(host, 1, 200);
  fail(host, 4);
  assert.equal(host?.ejected, false);
  fail(host, 1);
  assert.equal(host?.ejected, true);
  assert.equal(clock.changes, 1);
  at(20_000);
  assert.equal(host?.ejected, true);
  at(30_000);
  assert.equal(host?.ejected, false);
  fail(host, 5);
  at(80_000);
  assert.equal(host?.ejected, true);
  at(90_000);
  assert.equal(host?.ejected, false);
  assert.equal(stats.ejections_enforced_consecutive_5xx, 2);
  assert.equal(stats.ejections_active, 0);
});

test("no more hosts than max_ejection_percent are out; one may be where the cluster says so", () => {
  const few = detect(3, { maxEjectionPercent: 10 });
  few.fail(few.hosts[0], 5);
  assert.equal(few.hosts[0]?.ejected, false);
  assert.equal(few.stats.ejections_overflow, 1);
  const one = detect(3, { maxEjectionPercent: 10, alwaysEjectOne: true });
  one.fail(one.hosts[0], 5);
  one.fail(one.hosts[1], 5);
  assert.deepEqual(
    one.hosts.map((host) => host.ejected),
    [true, false, false],
  );
});

test("what the proxy itself saw counts as 5xx, or apart where that is asked for", () => {
  const mixed = detect(3, {});
  for (let i = 0; i < 5; i++) mixed.hosts[0]?.monitor?.onReset("remote connection failure");
  assert.equal(mixed.hosts[0]?.ejected, true);
  const split = detect(3, { splitLocalOrigin: true });
  for (let i = 0; i < 4; i++) split.hosts[0]?.monitor?.onTimeout();
  split.fail(split.hosts[0], 1);
  for (let i = 0; i < 4; i++) split.hosts[0]?.monitor?.onTimeout();
  split.hosts[0]?.monitor?.onReset("overflow");
  assert.equal(split.hosts[0]?.ejected, false);
  split.hosts[0]?.monitor?.onTimeout();
  assert.equal(split.stats.ejections_enforced_consecutive_local_origin_failure, 1);
});

test("gateway failures count only where they are enforced; gRPC statuses are 5xx as HTTP has them", () => {
  const gateway = detect(3, {
    consecutive5xx: { count: 5, enforcingPercent: 0 },
    consecutiveGatewayFailure: { count: 3, enforcingPercent: 100 },
  });
  gateway.fail(gateway.hosts[0], 9, 500);
  gateway.fail(gateway.hosts[0], 2, 503);
  assert.equal(gateway.hosts[0]?.ejected, false);
  gateway.fail(gateway.hosts[0], 1, 502);
  assert.equal(gateway.hosts[0]?.ejected, true);
  const grpc = detect(3, {});
  for (let i = 0; i < 5; i++) grpc.hosts[0]?.monitor?.onResponse(200, "14");
  assert.equal(grpc.hosts[0]?.ejected, true);
});

test("a host that fails far more often than the others is out after an interval", () => {
  const { hosts, stats, fail, at } = detect(10, { consecutive5xx: { count: 1000, enforcingPercent: 100 } });
  for (const [i, host] of hosts.entries()) {
    fail(host, i === 0 ? 60 : 100, 200);
    fail(host, i === 0 ? 40 : 0);
  }
  at(10_000);
  assert.deepEqual(
    hosts.filter((host) => host.ejected),
    [hosts[0]],
  );
  assert.equal(stats.ejections_enforced_success_rate, 1);
});

test("a health check that passes lets a host in again and tells of it, unless that is switched off", () => {
  for (const unejectsByCheck of [true, false]) {
    const { clock, detector, hosts, fail } = detect(2, { unejectsByCheck });
    fail(hosts[0], 5);
    assert.equal(hosts[0]?.ejected, true);
    detector.unejectByCheck(hosts[0]);
    detector.unejectByCheck(hosts[0]);
    assert.equal(hosts[0].ejected, !unejectsByCheck);
    assert.equal(clock.changes, unejectsByCheck ? 2 : 1);
  }
});
