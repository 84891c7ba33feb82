import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { freePort, until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, duration, endpoints, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

type Init = Extract<MessageInitShape<typeof HealthCheckSchema>, { readonly $typeName?: undefined }>;

function listenerWith(init: Init): ReturnType<typeof listener> {
  const check = create(HealthCheckSchema, {
    headers: [{ name: ":path", headerMatchSpecifier: { case: "exactMatch", value: "/healthz" } }],
    ...init,
  });
  const httpFilters = [anyPack(HealthCheckSchema, check), anyPack(RouterSchema, create(RouterSchema))].map(
    (value, i) => ({ name: String(i), configType: { case: "typedConfig" as const, value } }),
  );
  return listener("in", 0, { httpFilters });
}

test("what the application said is said again for a time, by whoever is asked", async () => {
  let status = 200;
  let asked = 0;
  await using backend = await Backend.start((request, response) => {
    request.resume();
    if (request.url === "/healthz") asked++;
    response.writeHead(status, status === 200 ? { "x-envoy-degraded": "" } : {}).end("app");
  });
  let now = 5000;
  await using proxy = await TestProxy.start(
    {
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listenerWith({ passThroughMode: true, cacheTime: duration(1000) })],
      routes: [routes("in", toCluster("*", "a"))],
    },
    { now: () => now },
  );
  const check = async (): Promise<unknown[]> => {
    const answer = await call(proxy.port("in"), { path: "/healthz" });
    return [answer.status, answer.body, answer.headers["x-envoy-degraded"], asked];
  };
  assert.deepEqual(await check(), [200, "app", "", 1]);
  status = 500;
  now = 5999;
  assert.deepEqual(await check(), [200, "", "", 1]);
  assert.equal((await call(proxy.port("in"), { path: "/" })).status, 500);
  now = 6000;
  assert.deepEqual(await check(), [500, "app", undefined, 2]);
  status = 200;
  assert.deepEqual(await check(), [500, "", undefined, 2]);
  proxy.runtime.failHealthCheck(true);
  now = 9000;
  assert.deepEqual(await check(), [503, "", undefined, 2]);
  proxy.runtime.failHealthCheck(false);
  assert.deepEqual(await check(), [200, "app", "", 3]);
});

test("the proxy is healthy while enough hosts of its clusters are", async () => {
  await using backend = await Backend.named("a");
  const answers = async (percentages: Record<string, number>): Promise<number> => {
    const clusterMinHealthyPercentages = Object.fromEntries(
      Object.entries(percentages).map(([name, value]) => [name, { value }]),
    );
    await using proxy = await TestProxy.start({
      clusters: [
        staticCluster("a", [backend.port]),
        cluster("none"),
        cluster("sick", {
          healthChecks: [
            {
              timeout: duration(100),
              interval: duration(10_000),
              healthyThreshold: 1,
              unhealthyThreshold: 1,
              healthChecker: { case: "tcpHealthCheck", value: {} },
            },
          ],
        }),
      ],
      endpoints: [endpoints("none", []), endpoints("sick", [await freePort(), backend.port])],
      listeners: [listenerWith({ passThroughMode: false, clusterMinHealthyPercentages })],
      routes: [routes("in", toCluster("*", "a"))],
    });
    await until("the checks", () => proxy.stat("cluster.sick.membership_healthy") === 1);
    return (await call(proxy.port("in"), { path: "/healthz" })).status;
  };
  assert.equal(await answers({ a: 100 }), 200);
  assert.equal(await answers({ a: 100, none: 0 }), 200);
  assert.equal(await answers({ none: 1 }), 503);
  assert.equal(await answers({ missing: 0 }), 503);
  assert.equal(await answers({ sick: 50 }), 200);
  assert.equal(await answers({ a: 100, sick: 51 }), 503);
});
