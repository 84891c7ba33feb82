import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Cluster, clusterDefaults, ClusterStats, type HealthReport, type Host } from "@fairlead/proxy-upstream";
import { SlotControl, SlotWorker } from "@fairlead/slot";
import { TimerWheel } from "@fairlead/timer-wheel";
import { HostReports, HostReportsOfControl } from "./host-reports.ts";
import { hostReportsSlot } from "./messages.ts";

/** Both sides in one thread, and clusters that say how their hosts do when the test says so. */
function bothSides(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const control = new SlotControl();
  const worker = new SlotWorker();
  const seen = new HostReportsOfControl(() => undefined);
  const told = { times: 0 };
  worker.open(hostReportsSlot, {
    initial: undefined,
    build: (found) => {
      told.times++;
      seen.take(found);
    },
  });
  control.addLocalWorker("worker", worker);
  const reports = new HostReports(control, (error) => assert.fail(String(error)));
  const clusterOf = (name: string, hosts: number): Cluster => {
    const context = { wheel: new TimerWheel(), random: () => 0, onHealth: reports.onHealth };
    const cluster = new Cluster({ ...clusterDefaults, name }, new ClusterStats(), context);
    const ports = Array.from({ length: hosts }, (_port, i) => i + 1);
    cluster.setHosts(ports.map((port) => ({ address: "10.0.0.1", port, weight: 1, health: "healthy" })));
    return cluster;
  };
  const eject = (cluster: Cluster, host: Host): void => {
    host.ejected = true;
    reports.onHealth(cluster);
  };
  const ejected = (name: string): number => seen.reportsOf(name)[0]?.ejected.length ?? 0;
  return { clusterOf, eject, ejected, reports, seen, told };
}

test("the first change is told at once, those that follow soon together", async (t) => {
  const { clusterOf, eject, ejected, told } = bothSides(t);
  const clusters = ["a", "b"].map((name) => clusterOf(name, 10));
  for (const cluster of clusters) {
    for (const { host } of cluster.hosts.entries) {
      eject(cluster, host);
      await Promise.resolve();
    }
  }
  assert.deepEqual([told.times, ejected("a"), ejected("b")], [1, 1, 0]);
  t.mock.timers.tick(20);
  assert.deepEqual([told.times, ejected("a"), ejected("b")], [2, 10, 10]);
});

test("who is told something else meanwhile is told the reports before it", async (t) => {
  const { clusterOf, eject, ejected, reports } = bothSides(t);
  const cluster = clusterOf("a", 2);
  for (const { host } of cluster.hosts.entries) {
    eject(cluster, host);
    await Promise.resolve();
  }
  assert.equal(ejected("a"), 1);
  reports.tell();
  assert.equal(ejected("a"), 2);
});

test("what changes nothing is not told; what stays the same of a report is the same object", async (t) => {
  const { clusterOf, eject, reports, seen, told } = bothSides(t);
  const clusters = ["a", "b"].map((name) => clusterOf(name, 2));
  const [a, b] = clusters as [Cluster, Cluster];
  for (const cluster of clusters) eject(cluster, cluster.hosts.entries[0]!.host);
  await Promise.resolve();
  const before: readonly (HealthReport | undefined)[] = ["a", "b"].map((name) => seen.reportsOf(name)[0]);
  t.mock.timers.tick(20);
  reports.onHealth(a);
  await Promise.resolve();
  assert.equal(told.times, 1);
  eject(b, b.hosts.entries[1]!.host);
  await Promise.resolve();
  assert.equal(seen.reportsOf("a")[0], before[0]);
  assert.notEqual(seen.reportsOf("b")[0], before[1]);
});

test("a cluster none of whose hosts is put out any more has no report", async (t) => {
  const { clusterOf, eject, reports, seen } = bothSides(t);
  const cluster = clusterOf("a", 1);
  const { host } = cluster.hosts.entries[0]!;
  eject(cluster, host);
  await Promise.resolve();
  assert.equal(seen.reportsOf("a").length, 1);
  host.ejected = false;
  reports.onHealth(cluster);
  t.mock.timers.tick(20);
  assert.deepEqual(seen.reportsOf("a"), []);
});
