import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterStatus, HostStatus } from "@fairlead/proxy-runtime";
import { clustersJson, clustersText } from "./clusters-page.ts";

function pagesOf(host: Partial<HostStatus>): readonly [text: string | undefined, json: object] {
  const cluster: ClusterStatus = {
    name: "a",
    statName: "a",
    stats: {},
    hosts: [
      {
        address: "10.0.0.1:80",
        hostname: "",
        priority: 0,
        locality: "",
        weight: 1,
        health: "healthy",
        ejected: false,
        failedCheck: false,
        activeRequests: 0,
        totalRequests: 0,
        connections: 0,
        idleConnections: 0,
        ...host,
      },
    ],
  };
  const text = /health_flags::(.*)/.exec(clustersText([cluster]))?.[1];
  const json = clustersJson([cluster], false) as {
    readonly cluster_statuses: readonly [{ readonly host_statuses: readonly [{ readonly health_status: object }] }];
  };
  return [text, json.cluster_statuses[0].host_statuses[0].health_status];
}

test("what is known of a host's health has Envoy's names", () => {
  assert.deepEqual(pagesOf({}), ["healthy", { eds_health_status: "HEALTHY" }]);
  assert.deepEqual(pagesOf({ health: "draining" }), ["/draining", { eds_health_status: "DRAINING" }]);
  assert.deepEqual(pagesOf({ health: "unhealthy", failedCheck: true, excluded: true }), [
    "/failed_active_hc/excluded_via_immediate_hc_fail",
    { eds_health_status: "UNHEALTHY", failed_active_health_check: true, excluded_via_immediate_hc_fail: true },
  ]);
  assert.deepEqual(pagesOf({ health: "degraded", degradedByCheck: true, pendingRemoval: true }), [
    "/degraded_active_hc/pending_dynamic_removal",
    { eds_health_status: "DEGRADED", failed_active_degraded_check: true, pending_dynamic_removal: true },
  ]);
});
