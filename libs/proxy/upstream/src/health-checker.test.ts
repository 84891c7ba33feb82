import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { TimerWheel } from "@fairlead/timer-wheel";
import { type CheckedAt, clusterDefaults } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import { Cluster } from "./cluster.ts";
import type { HealthCheck } from "./health-check-config.ts";
import { HealthChecker } from "./health-checker.ts";
import type { Host } from "./host.ts";
import type { ProbeResult } from "./probe.ts";

const check: HealthCheck = {
  kind: { type: "tcp", send: Buffer.alloc(0), receive: [] },
  timeoutMs: 50,
  intervalMs: 100,
  jitterMs: 0,
  noTrafficIntervalMs: 1000,
  unhealthyIntervalMs: 20,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  reuseConnection: true,
};

interface Asked {
  readonly host: Host;
  answer: ((result: ProbeResult) => void) | undefined;
  cancelled: number;
}

/** Hosts that answer when the test says so, in time that passes when the test says so. */
function checked(t: TestContext, config: Partial<HealthCheck> = {}, hosts: readonly (CheckedAt | undefined)[] = [{}]) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const stats = new ClusterStats();
  // As if there had been traffic.
  stats.upstream_rq_total = 1;
  const cluster = new Cluster({ ...clusterDefaults, name: "c" }, stats, { wheel: new TimerWheel(), random: () => 0 });
  const specs = hosts.map((checkedAt, i) => ({ address: "10.0.0.1", port: i + 1, weight: 1, health: "healthy" as const, checkedAt })); // prettier-ignore
  cluster.setHosts(specs);
  const asked: Asked[] = [];
  const seen = { changes: 0, passed: 0, closed: 0, firstRounds: 0 };
  const checker = new HealthChecker({
    check: { ...check, ...config },
    stats,
    random: () => 0.5,
    proberOf: (host) => {
      const one: Asked = { host, answer: undefined, cancelled: 0 };
      asked.push(one);
      return {
        start: (done) => {
          one.answer = (result) => {
            one.answer = undefined;
            done(result);
          };
          return {
            cancel: () => {
              one.answer = undefined;
              one.cancelled++;
            },
          };
        },
        renew() {},
        close: () => seen.closed++,
      };
    },
    onHealthy: () => seen.passed++,
    onChange: () => seen.changes++,
  });
  checker.onFirstRound(() => seen.firstRounds++);
  const of = cluster.hosts.entries.map(({ host }) => host);
  checker.setHosts(of);
  const pass = (ms: number): void => t.mock.timers.tick(ms);
  const waiting = (): boolean => asked[0]?.answer === undefined;
  return { waiting, checker, cluster, stats, asked, seen, hosts: of, host: of[0]!, first: asked[0]!, pass };
}

test("a new host is not used before its first answer, which decides alone", (t) => {
  const { host, first, seen } = checked(t);
  assert.equal(host.failedCheck, true);
  assert.equal(seen.firstRounds, 0);
  first.answer?.("pass");
  assert.equal(host.failedCheck, false);
  assert.deepEqual(seen, { changes: 1, passed: 1, closed: 0, firstRounds: 1 });
});

test("the first round is over when each host has an answer, good or bad", (t) => {
  const { asked, seen, stats } = checked(t, {}, [undefined, undefined]);
  asked[0]?.answer?.("network failure");
  assert.equal(seen.firstRounds, 0);
  asked[1]?.answer?.("pass");
  assert.equal(seen.firstRounds, 1);
  assert.equal(stats.healthCheck.healthy, 1);
});

for (const silence of ["network failure", "failure", "nothing"] as const) {
  test(`${silence} makes a host unhealthy when it repeats as often as the threshold says, a success begins anew`, (t) => {
    const { host, first, pass, stats } = checked(t);
    first.answer?.("pass");
    const fail = (): void => {
      pass(100);
      if (silence === "nothing") pass(50);
      else first.answer?.(silence);
    };
    fail();
    fail();
    assert.equal(host.failedCheck, false);
    pass(100);
    first.answer?.("pass");
    fail();
    fail();
    assert.equal(host.failedCheck, false);
    fail();
    assert.equal(host.failedCheck, true);
    assert.equal(stats.healthCheck.failure, 5);
    assert.equal(stats.healthCheck.network_failure, silence === "failure" ? 0 : 5);
    assert.equal(first.cancelled, silence === "nothing" ? 5 : 0);
  });
}

test("a bad answer makes a host unhealthy at once; it is back after as many successes as the threshold says", (t) => {
  const { host, first, pass, stats, seen, waiting } = checked(t);
  first.answer?.("pass");
  pass(100);
  first.answer?.("bad answer");
  assert.equal(host.failedCheck, true);
  assert.equal(stats.healthCheck.healthy, 0);
  pass(19);
  assert.equal(waiting(), true);
  pass(1);
  first.answer?.("pass");
  assert.equal(host.failedCheck, true);
  pass(20);
  first.answer?.("pass");
  assert.equal(host.failedCheck, false);
  assert.equal(seen.changes, 3);
});

test("without traffic healthy hosts are checked at the longer interval; jitter comes on top", (t) => {
  const { first, pass, stats } = checked(t, { jitterMs: 40 });
  stats.upstream_rq_total = 0;
  first.answer?.("pass");
  pass(1019);
  assert.equal(stats.healthCheck.attempt, 1);
  pass(1);
  assert.equal(stats.healthCheck.attempt, 2);
  stats.upstream_rq_total = 1;
  first.answer?.("pass");
  pass(119);
  assert.equal(stats.healthCheck.attempt, 2);
  pass(1);
  assert.equal(stats.healthCheck.attempt, 3);
});

test("a degraded host passes, and is for when others do not suffice", (t) => {
  const { host, cluster, first, pass, stats } = checked(t);
  first.answer?.("degraded");
  assert.deepEqual([host.failedCheck, host.degradedByCheck, stats.healthCheck.degraded], [false, true, 1]);
  cluster.setHosts([{ address: "10.0.0.1", port: 1, weight: 1, health: "healthy" }]);
  assert.equal(stats.membership_degraded, 1);
  pass(100);
  first.answer?.("pass");
  assert.deepEqual([host.degradedByCheck, stats.healthCheck.degraded], [false, 0]);
});

test("a host that says in a response that it is unhealthy is out at once, and not counted, until its check passes", (t) => {
  const { host, first, pass, stats, seen, waiting } = checked(t);
  first.answer?.("pass");
  host.saysUnhealthy?.();
  assert.deepEqual([host.failedCheck, host.excluded], [true, true]);
  assert.deepEqual([stats.healthCheck.passive_failure, stats.healthCheck.failure], [1, 1]);
  host.saysUnhealthy?.();
  assert.equal(seen.changes, 2);
  pass(99);
  assert.equal(waiting(), true);
  pass(1);
  first.answer?.("pass");
  pass(20);
  first.answer?.("pass");
  assert.deepEqual([host.failedCheck, host.excluded], [false, false]);
});

test("a host whose checks are switched off is healthy and not asked", (t) => {
  const { asked, hosts, seen, stats } = checked(t, {}, [{ disabled: true }, undefined]);
  assert.deepEqual(asked.map(({ host }) => host), [hosts[1]]); // prettier-ignore
  assert.equal(hosts[0]?.failedCheck, false);
  asked[0]?.answer?.("pass");
  assert.equal(seen.firstRounds, 1);
  assert.equal(stats.healthCheck.healthy, 1);
});

test("a host that is to be asked at another place is asked there, and waits for it", (t) => {
  const { asked, checker, host, hosts, first, seen } = checked(t);
  first.answer?.("pass");
  checker.setHosts(hosts);
  assert.equal(asked.length, 1);
  host.checkedAt = { port: 81 };
  checker.setHosts(hosts);
  assert.equal(asked.length, 2);
  assert.equal(host.failedCheck, true);
  assert.equal(seen.closed, 1);
  asked[1]?.answer?.("pass");
  assert.equal(host.failedCheck, false);
});

test("a host that has left is not asked again, and what it still says is not heard", (t) => {
  const { checker, first, pass, seen, stats } = checked(t);
  const late = first.answer;
  checker.setHosts([]);
  late?.("bad answer");
  pass(10_000);
  assert.equal(stats.healthCheck.attempt, 1);
  assert.equal(stats.healthCheck.failure, 0);
  assert.equal(seen.closed, 1);
});
