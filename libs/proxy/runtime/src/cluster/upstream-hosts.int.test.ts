import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { freePort, until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { type Answer, call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, duration, endpoints, hostAt, listener, routes, toCluster } from "../testing/resources.ts";

type ClusterInit = Extract<MessageInitShape<typeof ClusterSchema>, { readonly $typeName?: undefined }>;

async function proxyOf(init: ClusterInit, ports: readonly number[]): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [cluster("a", init)],
    endpoints: [endpoints("a", ports)],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

function dns(type: number, names: readonly (readonly [string, number])[]): ClusterInit {
  const lbEndpoints = names.map(([name, port]) => hostAt(port, name));
  return {
    clusterDiscoveryType: { case: "type", value: type },
    edsClusterConfig: undefined,
    loadAssignment: { clusterName: "a", endpoints: [{ lbEndpoints }] },
    dnsRefreshRate: duration(20),
  };
}

test("a host that answers badly is left out while the others serve", async () => {
  let healthy = false;
  await using bad = await Backend.start((request, response) => {
    request.resume();
    response.statusCode = healthy ? 200 : 503;
    response.end("bad");
  });
  await using good = await Backend.named("good");
  const outlierDetection = {
    consecutive5xx: 3,
    interval: duration(50),
    baseEjectionTime: duration(150),
    maxEjectionPercent: 50,
  };
  await using proxy = await proxyOf({ outlierDetection }, [bad.port, good.port]);
  const bodies: string[] = [];
  for (let i = 0; i < 20; i++) bodies.push((await call(proxy.port("in"))).body);
  assert.equal(bodies.filter((body) => body === "bad").length, 3);
  assert.equal(proxy.stat("cluster.a.membership_healthy"), 1);
  assert.equal(proxy.stat("cluster.a.outlier_detection.ejections_active"), 1);
  healthy = true;
  await until("its return", () => proxy.stat("cluster.a.membership_healthy") === 2);
  const after = new Set([(await call(proxy.port("in"))).body, (await call(proxy.port("in"))).body]);
  assert.deepEqual(after, new Set(["bad", "good"]));
});

for (const kind of ["http", "tcp"] as const) {
  test(`a host that fails its ${kind} check is not chosen, and one that passes again is`, async () => {
    let healthy = true;
    const answer: Backend = await Backend.start((request, response) => {
      request.resume();
      response.statusCode = request.url === "/healthz" && !healthy ? 500 : 200;
      response.end("a");
    });
    await using a = answer;
    await using b = await Backend.named("b");
    const gone = await freePort();
    const check = create(HealthCheckSchema, {
      timeout: duration(500),
      interval: duration(20),
      noTrafficInterval: duration(20),
      unhealthyThreshold: 2,
      healthyThreshold: 2,
      healthChecker:
        kind === "http"
          ? ({ case: "httpHealthCheck", value: { path: "/healthz" } } as const)
          : ({ case: "tcpHealthCheck", value: {} } as const),
    });
    await using proxy = await proxyOf({ healthChecks: [check] }, [a.port, b.port, gone]);
    await until("the first round", () => proxy.stat("cluster.a.membership_healthy") === 2);
    const chosen = async (): Promise<string> => {
      const bodies: string[] = [];
      for (let i = 0; i < 6; i++) bodies.push((await call(proxy.port("in"))).body);
      return bodies.toSorted().join("");
    };
    assert.equal(await chosen(), "aaabbb");
    if (kind === "tcp") return;
    healthy = false;
    await until("the failure", () => proxy.stat("cluster.a.membership_healthy") === 1);
    healthy = true;
    await until("the return", () => proxy.stat("cluster.a.membership_healthy") === 2);
    assert(proxy.stat("cluster.a.health_check.failure") > 0);
  });
}

test("names are resolved again and again: STRICT_DNS takes all addresses, LOGICAL_DNS one; an outage of DNS changes nothing", async () => {
  await using backend = await Backend.named("a");
  let addresses = ["127.0.0.1", "127.0.0.9"];
  let asked = 0;
  const resolveName = async () => {
    asked++;
    if (addresses.length === 0) throw new Error("SERVFAIL");
    return Promise.resolve(addresses.map((address) => ({ address, ttlSeconds: undefined })));
  };
  for (const [type, expected] of [
    [1, 2],
    [2, 1],
  ] as const) {
    addresses = ["127.0.0.1", "127.0.0.9"];
    await using proxy = await TestProxy.start(
      {
        clusters: [cluster("a", dns(type, [["shop.example", backend.port]]))],
        listeners: [listener("in", 0)],
        routes: [
          routes(
            "in",
            toCluster("*", "a", { hostRewriteSpecifier: { case: "autoHostRewrite", value: { value: true } } }),
          ),
        ],
      },
      { resolveName },
    );
    await until("the first answer", () => proxy.stat("cluster.a.membership_total") === expected);
    addresses = ["127.0.0.1"];
    await until("the second answer", () => proxy.stat("cluster.a.membership_total") === 1);
    addresses = [];
    const before = asked;
    await until("failures", () => asked > before + 1);
    assert.equal((await call(proxy.port("in"))).body, "a");
    assert(proxy.stat("cluster.a.update_failure") > 0);
  }
});

test("a cluster is warm without an answer of DNS where nobody is to wait for one", async () => {
  await using proxy = new TestProxy({ resolveName: () => new Promise(() => undefined) });
  const isThere = async (init: ClusterInit): Promise<boolean> => {
    await proxy.apply({ clusters: [] });
    await proxy.apply({ clusters: [cluster("a", { ...dns(1, [["shop.example", 80]]), ...init })] });
    return proxy.runtime.stats().has("cluster.a.membership_total");
  };
  assert.equal(await isThere({}), false);
  assert.equal(await isThere({ waitForWarmOnInit: true }), false);
  assert.equal(await isThere({ waitForWarmOnInit: false }), true);
});

test("priorities: the second takes over when the first has gone", async () => {
  await using near = await Backend.named("near");
  await using far = await Backend.named("far");
  const at = (port: number, priority: number, healthStatus: number) => ({
    priority,
    lbEndpoints: [{ ...hostAt(port), healthStatus }],
  });
  for (const [status, expected] of [
    [1, "near"],
    [2, "far"],
  ] as const) {
    const init: ClusterInit = {
      clusterDiscoveryType: { case: "type", value: 0 },
      edsClusterConfig: undefined,
      loadAssignment: { clusterName: "a", endpoints: [at(near.port, 0, status), at(far.port, 1, 1)] },
    };
    await using proxy = await TestProxy.start({
      clusters: [cluster("a", init)],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    });
    for (let i = 0; i < 5; i++) assert.equal((await call(proxy.port("in"))).body, expected);
  }
});

test("beyond max_requests calls fail at once; a retry budget allows a share", async () => {
  await using waiting = await Backend.start((request) => {
    request.resume();
  });
  const circuitBreakers = {
    thresholds: [{ maxRequests: 2, trackRemaining: true, retryBudget: { minRetryConcurrency: 1 } }],
  };
  await using proxy = await proxyOf({ circuitBreakers }, [waiting.port]);
  const under: Promise<Answer>[] = [call(proxy.port("in")), call(proxy.port("in"))];
  const ended = Promise.allSettled(under);
  await until("two requests", () => proxy.stat("cluster.a.upstream_rq_active") === 2);
  assert.equal(proxy.stat("cluster.a.circuit_breakers.default.rq_open"), 1);
  assert.equal(proxy.stat("cluster.a.circuit_breakers.default.remaining_rq"), 0);
  const refused = await call(proxy.port("in"));
  assert.deepEqual([refused.status, refused.headers["x-envoy-overloaded"]], [503, "true"]);
  await waiting[Symbol.asyncDispose]();
  await ended;
});

test("a connection that is too old takes no more requests; the system's probes may be set", async () => {
  await using backend = await Backend.named("a");
  const connections = new Set<unknown>();
  backend.server.on("connection", (socket) => connections.add(socket));
  await using proxy = await proxyOf(
    {
      commonHttpProtocolOptions: { maxConnectionDuration: duration(1) },
      upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 10, keepaliveInterval: 5, keepaliveProbes: 3 } },
    },
    [backend.port],
  );
  await until("the host", () => connections.size > 0 || proxy.stat("cluster.a.membership_total") === 1);
  const deadline = performance.now() + 5000;
  while (connections.size < 2 && performance.now() < deadline) assert.equal((await call(proxy.port("in"))).body, "a");
  assert(connections.size >= 2);
});

test("a cluster is not ready before its hosts were checked, and a change of it drops no request meanwhile", async () => {
  let slow = 0;
  await using backend = await Backend.start((request, response) => {
    request.resume();
    setTimeout(() => response.end("a"), request.url?.startsWith("/healthz") === true ? slow : 0);
  });
  const checked = (path: string): ClusterInit => ({
    healthChecks: [
      create(HealthCheckSchema, {
        timeout: duration(2000),
        interval: duration(1000),
        unhealthyThreshold: 1,
        healthyThreshold: 1,
        healthChecker: { case: "httpHealthCheck", value: { path } },
      }),
    ],
  });
  await using proxy = await proxyOf(checked("/healthz"), [backend.port]);
  assert.equal(proxy.runtime.clustersInitialized(), false);
  await until("the first check", () => proxy.runtime.clustersInitialized());
  slow = 150;
  await proxy.apply({ clusters: [cluster("a", checked("/healthz/2"))] });
  for (let i = 0; i < 20; i++) assert.equal((await call(proxy.port("in"))).body, "a");
  await until("the second check", () => proxy.stat("cluster.a.health_check.success") >= 2);
  for (let i = 0; i < 5; i++) assert.equal((await call(proxy.port("in"))).body, "a");
});
