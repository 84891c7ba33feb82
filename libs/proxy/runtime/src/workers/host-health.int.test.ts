import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerResponse } from "node:http";
import { create } from "@bufbuild/protobuf";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { cluster, duration, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

const check = create(HealthCheckSchema, {
  timeout: duration(60_000),
  interval: duration(20),
  noTrafficInterval: duration(20),
  unhealthyThreshold: 1,
  healthyThreshold: 1,
  healthChecker: { case: "httpHealthCheck", value: { path: "/healthz" } },
});

test("a host that says to any worker that it is unhealthy is left alone by all until its check passes, and stays when unassigned", async () => {
  let fails = false;
  let holds = false;
  const held: ServerResponse[] = [];
  await using bad = await Backend.start((request, response) => {
    if (request.url !== "/healthz")
      response.writeHead(200, fails ? { "x-envoy-immediate-health-check-fail": "true" } : {}).end("bad");
    else if (holds) held.push(response);
    else response.end();
  });
  await using good = await Backend.named("good");
  const world = {
    clusters: [cluster("a", { healthChecks: [check], commonLbConfig: { healthyPanicThreshold: { value: 0 } } })],
    endpoints: [endpoints("a", [bad.port, good.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  };
  await using proxy = await ProxyInThreads.start(world);
  const bodies = async (): Promise<string> => {
    const calls = Array.from({ length: 20 }, () => call(proxy.port("in"), { agent: false }));
    return [...new Set((await Promise.all(calls)).map(({ body }) => body))].toSorted().join(" ");
  };
  while ((await bodies()) !== "bad good");
  holds = true;
  await until("a check under way", () => held.length === 1);
  fails = true;
  while ((await bodies()) !== "good");
  assert.equal(proxy.stat("cluster.a.membership_excluded"), 1);
  fails = false;
  holds = false;
  held[0]?.end();
  while ((await bodies()) !== "bad good");
  await proxy.apply({ endpoints: [endpoints("a", [good.port])] });
  assert.equal(await bodies(), "bad good");
});
