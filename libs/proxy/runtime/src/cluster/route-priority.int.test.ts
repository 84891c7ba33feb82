import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { RoutingPriority } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

const normal = { headers: { host: "normal" } };
const high = { headers: { host: "high" } };

test("requests of high priority have circuit breakers, a queue and connections of their own", async () => {
  const waiting: ServerResponse[] = [];
  const ports = new Map<string, Set<number | undefined>>();
  let answers = true;
  await using backend = await Backend.start((request, response) => {
    request.resume();
    const { host = "" } = request.headers;
    ports.set(host, (ports.get(host) ?? new Set()).add(request.socket.remotePort));
    if (answers) response.end();
    else waiting.push(response);
  });
  const thresholds = [
    { maxRequests: 1, trackRemaining: true },
    { priority: RoutingPriority.HIGH, maxRequests: 2, trackRemaining: true },
  ];
  await using proxy = await TestProxy.start({
    clusters: [cluster("a", { circuitBreakers: { thresholds } })],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("normal", "a"), toCluster("high", "a", { priority: RoutingPriority.HIGH }))],
  });
  const port = proxy.port("in");
  const breaker = (name: string): number | undefined => proxy.stat(`cluster.a.circuit_breakers.${name}`);
  for (const options of [normal, high, normal, high]) assert.equal((await call(port, options)).status, 200);
  assert.deepEqual(
    [...ports.values()].map(({ size }) => size),
    [1, 1],
  );
  assert(ports.get("normal")!.isDisjointFrom(ports.get("high")!), "a connection served both priorities");

  answers = false;
  const held = [call(port, normal), call(port, high)];
  await until("two requests under way", () => waiting.length === 2);
  assert.deepEqual([breaker("default.rq_open"), breaker("high.rq_open"), breaker("high.remaining_rq")], [1, 0, 1]);
  assert.equal((await call(port, normal)).headers["x-envoy-overloaded"], "true");
  held.push(call(port, high));
  await until("another of high priority", () => waiting.length === 3);
  assert.equal((await call(port, high)).status, 503);
  assert.deepEqual(
    [breaker("high.rq_open"), breaker("default.remaining_rq"), breaker("high.remaining_cx")],
    [1, 0, 1022],
  );
  assert.equal(proxy.stat("cluster.a.upstream_rq_active"), 3);
  for (const response of waiting) response.end();
  for (const answer of held) assert.equal((await answer).status, 200);
  await until("their end", () => proxy.stat("cluster.a.upstream_rq_active") === 0);
  assert.deepEqual([breaker("default.rq_open"), breaker("high.rq_open")], [0, 0]);
});
