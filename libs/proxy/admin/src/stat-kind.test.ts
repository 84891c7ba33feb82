import assert from "node:assert/strict";
import { test } from "node:test";
import { isGauge } from "./stat-kind.ts";

test("what may fall is a gauge, and what only grows a counter", () => {
  for (const stat of [
    "cluster.a.upstream_rq_active",
    "cluster.a.membership_healthy",
    "cluster.a.health_check.healthy",
    "overload.envoy.resource_monitors.fixed_heap.pressure",
    "overload.envoy.overload_actions.stop_accepting_requests.active",
    "overload.envoy.overload_actions.reduce_timeouts.scale_percent",
    "server.worker_0.event_loop_delay_ms",
    "server.concurrency",
    "server.memory_physical_size",
    "cluster_manager.cds.version",
    "server.workers_stuck",
    "listener.127.0.0.1_80.downstream_cx_overload_held_active",
  ])
    assert.equal(isGauge(stat), true, stat);
  for (const stat of [
    "cluster.a.upstream_rq_total",
    "cluster.a.upstream_cx_none_healthy",
    "workers.watchdog_miss",
    "cluster.a.ssl.versions.TLSv1.3",
    "server.worker_crashed",
    "http.in.downstream_rq_overload_close",
    "listener.127.0.0.1_80.downstream_cx_overload_reject",
  ])
    assert.equal(isGauge(stat), false, stat);
});
