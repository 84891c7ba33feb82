import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { LocalRateLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { until } from "@fairlead/testing-basics";
import type { DataPlaneOptions } from "../data-plane.ts";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { cluster, duration, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

type ClusterInit = Extract<MessageInitShape<typeof ClusterSchema>, { readonly $typeName?: undefined }>;

function proxyOf(
  init: ClusterInit,
  ports: readonly number[],
  options: Partial<DataPlaneOptions> = {},
): Promise<ProxyInThreads> {
  const world = {
    clusters: [cluster("a", init)],
    endpoints: [endpoints("a", ports)],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  };
  return ProxyInThreads.start(world, options);
}

/** Each on a connection of its own, so that all workers get some. */
async function callMany(proxy: ProxyInThreads, count: number): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => call(proxy.port("in"), { agent: false })));
  return answers.map(({ status, body }) => `${status} ${body}`);
}

test("a circuit breaker counts the requests of all workers", async () => {
  const answers: (() => void)[] = [];
  await using backend = await Backend.start((_request, response) => void answers.push(() => response.end("a")));
  const circuitBreakers = { thresholds: [{ maxRequests: 3 }] };
  await using proxy = await proxyOf({ circuitBreakers }, [backend.port]);
  const admitted = callMany(proxy, 3);
  await until("three requests under way", () => answers.length === 3);
  const refused = await callMany(proxy, 30);
  assert.deepEqual([...new Set(refused.map((answer) => answer.slice(0, 3)))], ["503"]);
  assert.equal(proxy.stat("cluster.a.circuit_breakers.default.rq_open"), 1);
  assert.equal(proxy.stat("cluster.a.upstream_rq_active_overflow"), 30);
  for (const answer of answers) answer();
  assert.deepEqual(await admitted, ["200 a", "200 a", "200 a"]);
  assert.equal(proxy.stat("cluster.a.circuit_breakers.default.rq_open"), 0);
});

test("a host that answers badly is put out by what all workers see, in all of them", async () => {
  await using bad = await Backend.start((_request, response) => response.writeHead(503).end("bad"));
  await using good = await Backend.named("good");
  const outlierDetection = { consecutive5xx: 10, baseEjectionTime: duration(60_000), maxEjectionPercent: 50 };
  await using proxy = await proxyOf({ outlierDetection }, [bad.port, good.port]);
  await callMany(proxy, 24);
  await until("its ejection", () => proxy.stat("cluster.a.outlier_detection.ejections_active") === 1);
  assert.equal(proxy.stat("cluster.a.outlier_detection.ejections_enforced_total"), 1);
  // Workers are told a moment later.
  let last: string[] = [];
  while (last.length === 0 || last.some((answer) => answer !== "200 good")) last = await callMany(proxy, 20);
});

test("hosts are checked once for all workers", async () => {
  let healthy = true;
  let checks = 0;
  await using a = await Backend.start((request, response) => {
    if (request.url === "/healthz") checks++;
    response.statusCode = request.url === "/healthz" && !healthy ? 500 : 200;
    response.end("a");
  });
  await using b = await Backend.named("b");
  const check = create(HealthCheckSchema, {
    timeout: duration(1000),
    interval: duration(20),
    noTrafficInterval: duration(20),
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    healthChecker: { case: "httpHealthCheck", value: { path: "/healthz" } },
  });
  const commonLbConfig = { healthyPanicThreshold: { value: 0 } };
  await using proxy = await proxyOf({ healthChecks: [check], commonLbConfig }, [a.port, b.port]);
  const untilOnly = async (wanted: readonly string[]): Promise<void> => {
    for (;;) {
      const bodies = new Set(await callMany(proxy, 20));
      if (wanted.length === bodies.size && wanted.every((body) => bodies.has(body))) return;
    }
  };
  await untilOnly(["200 a", "200 b"]);
  healthy = false;
  await untilOnly(["200 b"]);
  healthy = true;
  await untilOnly(["200 a", "200 b"]);
  await until("checks of one thread only", () => checks === proxy.stat("cluster.a.health_check.attempt") / 2);
  assert.equal(proxy.stat("cluster.a.membership_healthy"), 2);
});

test("names are resolved once for all workers", async () => {
  await using backend = await Backend.named("a");
  let asked = 0;
  const resolveName = () => {
    asked++;
    return Promise.resolve([{ address: "127.0.0.1", ttlSeconds: undefined }]);
  };
  const address = (port: number) => ({
    case: "socketAddress" as const,
    value: { address: "a.test", portSpecifier: { case: "portValue" as const, value: port } },
  });
  const host = { case: "endpoint" as const, value: { address: { address: address(backend.port) } } };
  const byName: ClusterInit = {
    clusterDiscoveryType: { case: "type", value: 1 },
    edsClusterConfig: undefined,
    loadAssignment: { clusterName: "a", endpoints: [{ lbEndpoints: [{ hostIdentifier: host }] }] },
    dnsRefreshRate: duration(3_600_000),
  };
  await using proxy = await proxyOf(byName, [], { resolveName });
  let answers: string[] = [];
  while (answers.length === 0 || answers.some((answer) => answer !== "200 a")) answers = await callMany(proxy, 20);
  assert.equal(asked, 1);
});

test("a rate limit is one for all workers, and begins anew with a change of it", async () => {
  await using backend = await Backend.named("a");
  const limited = (maxTokens: number) => {
    const always = { defaultValue: { numerator: 100 } };
    const limit = create(LocalRateLimitSchema, {
      statPrefix: "limit",
      tokenBucket: { maxTokens, fillInterval: duration(3_600_000) },
      filterEnabled: always,
      filterEnforced: always,
    });
    const filters = [
      { name: "limit", config: anyPack(LocalRateLimitSchema, limit) },
      { name: "router", config: anyPack(RouterSchema, create(RouterSchema)) },
    ];
    return listener("in", 0, {
      httpFilters: filters.map(({ name, config }) => ({ name, configType: { case: "typedConfig", value: config } })),
    });
  };
  await using proxy = await ProxyInThreads.start({
    clusters: [cluster("a")],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [limited(7)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const admitted = async (): Promise<number> =>
    (await callMany(proxy, 40)).filter((answer) => answer === "200 a").length;
  assert.equal(await admitted(), 7);
  assert.equal(await admitted(), 0);
  await proxy.apply({ listeners: [limited(5)] });
  assert.equal(await admitted(), 5);
  assert.equal(proxy.stat("http.in.limit.http_local_rate_limit.rate_limited"), 108);
});

test("a listener's connections are limited over all workers", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await proxyOf({}, [backend.port], { maxConnections: 5 });
  const sockets: Socket[] = [];
  try {
    for (let i = 0; i < 12; i++) {
      const socket = connect(proxy.port("in"), "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => undefined);
      await once(socket, "connect");
    }
    const address = `listener.127.0.0.1_${proxy.port("in")}`;
    await until("those beyond the limit are closed", () => proxy.stat(`${address}.downstream_cx_overflow`) === 7);
    assert.equal(proxy.stat(`${address}.downstream_cx_active`), 5);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});
