import assert from "node:assert/strict";
import { test } from "node:test";
import type { XdsResource } from "../xds-resource.ts";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, duration, listener, routes, toCluster } from "../testing/resources.ts";

/** A STATIC cluster of one host. */
function fixed(port: number, timeoutMs?: number): XdsResource {
  const check = {
    timeout: duration(timeoutMs ?? 0),
    interval: duration(20),
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    healthChecker: { case: "httpHealthCheck" as const, value: { path: "/healthz" } },
  };
  return cluster("a", {
    clusterDiscoveryType: { case: "type", value: 0 },
    edsClusterConfig: undefined,
    loadAssignment: assignmentInit("a", [port]),
    healthChecks: timeoutMs === undefined ? [] : [check],
  });
}

test("a proxy is ready without a first check that never ends when its cluster is replaced or removed", async () => {
  await using silent = await Backend.start((request) => void request.resume());
  await using good = await Backend.named("good");
  for (const [change, next] of [
    ["replaced", [fixed(good.port)]],
    ["replaced by one that is checked", [fixed(good.port, 1000)]],
    ["removed", []],
  ] as const) {
    await using proxy = await TestProxy.start({
      clusters: [fixed(silent.port, 600_000)],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    });
    await until("its check", () => silent.requests > 0);
    assert.equal(proxy.runtime.clustersInitialized(), false);
    await proxy.apply({ clusters: next });
    await until(change, () => proxy.runtime.clustersInitialized());
    if (next.length > 0) assert.equal((await call(proxy.port("in"))).body, "good");
  }
});

test("hosts that pass are counted once, and not any more when they are not checked", async () => {
  await using good = await Backend.named("good");
  await using proxy = await TestProxy.start({ clusters: [fixed(good.port, 1000)] });
  const counted = (): number => proxy.stat("cluster.a.health_check.healthy");
  await until("the check", () => counted() === 1);
  const before = good.requests;
  await proxy.apply({ clusters: [fixed(good.port, 2000)] });
  await until("the check of the next version", () => good.requests > before && counted() === 1);
  await proxy.apply({ clusters: [fixed(good.port)] });
  assert.equal(counted(), 0);
});
