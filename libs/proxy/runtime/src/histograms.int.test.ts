import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistogramTotals } from "@fairlead/stat-cells";
import { until } from "@fairlead/testing-basics";
import { Backend } from "./testing/backend.ts";
import { call, to } from "./testing/client.ts";
import { ProxyInThreads } from "./testing/proxy-in-threads.ts";
import { TestProxy, type World } from "./testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "./testing/resources.ts";

const SLOW_MS = 60;

const worldOf = (port: number): World => ({
  clusters: [staticCluster("b", [port]), staticCluster("unused", [port])],
  listeners: [listener("in", 0)],
  routes: [routes("in", toCluster("b", "b"), toCluster("none", "missing"))],
});

function recorded(histograms: ReadonlyMap<string, HistogramTotals>): Record<string, number> {
  return Object.fromEntries(
    [...histograms].map(([name, { counts }]) => [name, counts.reduce((sum, count) => sum + count, 0)]),
  );
}

test("requests and connections are recorded by how long they take, where they were answered by a host also for its cluster", async () => {
  await using backend = await Backend.start((request, response) => {
    request.resume();
    setTimeout(() => response.end("late"), SLOW_MS);
  });
  await using proxy = await TestProxy.start(worldOf(backend.port));
  assert.deepEqual(recorded(proxy.runtime.histograms()), {});
  for (const host of ["b", "none", "b"])
    await call(proxy.port("in"), { ...to(host), agent: false, method: "POST", body: "x" });
  await until(
    "the ends of the connections",
    () => recorded(proxy.runtime.histograms())["http.in.downstream_cx_length_ms"] === 3,
  );
  const histograms = proxy.runtime.histograms();
  assert.deepEqual(recorded(histograms), {
    "http.in.downstream_rq_time": 3,
    "http.in.downstream_cx_length_ms": 3,
    "cluster.b.upstream_rq_time": 2,
    "cluster.b.upstream_cx_connect_ms": 1,
  });
  assert.equal(proxy.stat("http.in.downstream_cx_destroy"), 3);
  const { counts, sumMs } = histograms.get("cluster.b.upstream_rq_time")!;
  assert.ok(sumMs >= 2 * (SLOW_MS - 1) && sumMs <= histograms.get("http.in.downstream_rq_time")!.sumMs, `${sumMs} ms`);
  // Neither in the buckets up to 50 ms.
  assert.equal(
    counts.slice(0, 6).reduce((sum, count) => sum + count, 0),
    0,
  );
});

test("what several threads record is together", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await ProxyInThreads.start(worldOf(backend.port));
  for (let i = 0; i < 6; i++) await call(proxy.port("in"), to("b"));
  await until("all requests of both threads", () => {
    const counts = recorded(proxy.dataPlane.histograms());
    return counts["http.in.downstream_rq_time"] === 6 && counts["cluster.b.upstream_rq_time"] === 6;
  });
});
