import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ClusterSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { HealthCheckSchema } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import type { Endpoint_HealthCheckConfigSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_components_pb.js";
import { ClusterLoadAssignment_PolicySchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { until } from "@fairlead/testing-basics";
import { CodecClientType } from "@fairlead/envoy-api/envoy/type/v3/http_pb.js";
import { Backend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, duration, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

type ClusterInit = Extract<MessageInitShape<typeof ClusterSchema>, { readonly $typeName?: undefined }>;
type CheckInit = Extract<MessageInitShape<typeof HealthCheckSchema>, { readonly $typeName?: undefined }>;
type CheckedAtInit = MessageInitShape<typeof Endpoint_HealthCheckConfigSchema>;

const toHealthz = { case: "httpHealthCheck" as const, value: { path: "/healthz" } };

function every20Ms(init: CheckInit = {}): CheckInit {
  return {
    timeout: duration(1000),
    interval: duration(20),
    noTrafficInterval: duration(20),
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    healthChecker: toHealthz,
    ...init,
  };
}

/** A STATIC cluster. */
function fixed(loadAssignment: ClusterInit["loadAssignment"]): ClusterInit {
  return { clusterDiscoveryType: { case: "type", value: 0 }, edsClusterConfig: undefined, loadAssignment };
}

/** Hosts that are checked in another way than the others. */
function checkedAt(port: number, healthCheckConfig: CheckedAtInit): ClusterInit {
  const address = assignmentInit("a", [port]).endpoints?.[0]?.lbEndpoints?.[0]?.hostIdentifier;
  if (address?.case !== "endpoint") throw new Error("no endpoint");
  const endpoint = { case: "endpoint" as const, value: { address: address.value.address!, healthCheckConfig } };
  return fixed({ clusterName: "a", endpoints: [{ lbEndpoints: [{ hostIdentifier: endpoint }] }] });
}

async function proxyOf(ports: readonly number[], check: CheckInit, init: ClusterInit = {}): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [cluster("a", { healthChecks: [check], ...init })],
    endpoints: [endpoints("a", ports)],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

/** One thing for checks, another for requests. */
function on(checks: RequestListener, requests: RequestListener): RequestListener {
  return (request, response) => {
    request.resume();
    (request.url === "/healthz" ? checks : requests)(request, response);
  };
}

const says =
  (body: string, status = 200, headers: Readonly<Record<string, string>> = {}) =>
  (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };

const healthy = (proxy: TestProxy): number => proxy.stat("cluster.a.membership_healthy");

test("checks get through to a host that has all the connections and requests that its cluster allows", async () => {
  let checks = 0;
  const slow: ServerResponse[] = [];
  await using backend = await Backend.start(
    on(
      (_request, response) => {
        checks++;
        response.end();
      },
      (_request, response) => slow.push(response),
    ),
  );
  const circuitBreakers = { thresholds: [{ maxConnections: 2, maxPendingRequests: 1 }] };
  await using proxy = await proxyOf([backend.port], every20Ms(), { circuitBreakers });
  await until("the first check", () => healthy(proxy) === 1);
  const calls = [call(proxy.port("in")), call(proxy.port("in")), call(proxy.port("in"))];
  await until("two requests at the host", () => slow.length === 2);
  const before = checks;
  await until("checks beside them", () => checks > before + 3);
  assert.equal(healthy(proxy), 1);
  assert.equal(proxy.stat("cluster.a.upstream_cx_active"), 2);
  assert.equal(proxy.stat("cluster.a.upstream_cx_total"), 2);
  assert.equal(proxy.stat("cluster.a.health_check.failure"), 0);
  const ended = Promise.all(calls);
  const answer = setInterval(() => slow.splice(0).forEach((response) => response.end("ok")), 5);
  await ended;
  clearInterval(answer);
});

test("checks share a connection, or with reuse_connection: false have one each", async () => {
  for (const [reuseConnection, shared] of [
    [true, true],
    [false, false],
  ] as const) {
    const sockets = new Set<unknown>();
    let checks = 0;
    await using backend = await Backend.start((request, response) => {
      sockets.add(request.socket);
      checks++;
      response.end();
    });
    await using proxy = await proxyOf([backend.port], every20Ms({ reuseConnection }));
    await until("checks", () => checks >= 5);
    assert.equal(sockets.size === 1, shared);
    if (!shared) assert.equal(sockets.size, checks);
    assert.equal(proxy.stat("cluster.a.upstream_cx_total"), 0);
  }
});

test("checks say what they are told to say, to the port that they are told", async () => {
  await using backend = await Backend.named("a");
  const seen: IncomingMessage[] = [];
  await using other = await Backend.start((request, response) => {
    seen.push(request);
    response.end();
  });
  const value = {
    path: "/healthz",
    host: "shop.example",
    method: 2,
    requestHeadersToAdd: [{ header: { key: "x-a", value: "b" } }, { header: { key: "user-agent", value: "me" }, appendAction: 2 }], // prettier-ignore
  };
  const check = every20Ms({ altPort: other.port, healthChecker: { case: "httpHealthCheck", value } });
  await using proxy = await proxyOf([backend.port], check);
  await until("the check at the other port", () => healthy(proxy) === 1);
  const { method, url, headers } = seen[0]!;
  assert.deepEqual([method, url, headers.host, headers["x-a"], headers["user-agent"]], ["HEAD", "/healthz", "shop.example", "b", "me"]); // prettier-ignore
  assert.equal(backend.requests, 0);
});

test("codec_client_type is what a check speaks, whatever the cluster's requests do", async () => {
  const versions: string[] = [];
  const server = createServer((request, response) => {
    versions.push(request.httpVersion);
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  await using closing = new AsyncDisposableStack();
  closing.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const value = { path: "/healthz", codecClientType: CodecClientType.HTTP2 };
  await using proxy = await proxyOf([port], every20Ms({ healthChecker: { case: "httpHealthCheck", value } }));
  await until("the check", () => healthy(proxy) === 1);
  assert.equal(versions[0], "2.0");
});

test("a status that may be tried again counts only when it repeats; others at once", async () => {
  let status = 200;
  await using backend = await Backend.start(on((_request, response) => response.writeHead(status).end(), says("a")));
  const value = { path: "/healthz", retriableStatuses: [{ start: 503n, end: 504n }] };
  const check = every20Ms({ unhealthyThreshold: 4, healthChecker: { case: "httpHealthCheck", value } });
  await using proxy = await proxyOf([backend.port], check);
  await until("the first check", () => healthy(proxy) === 1);
  const failures = (): number => proxy.stat("cluster.a.health_check.failure");
  status = 503;
  await until("four failures", () => healthy(proxy) === 0);
  assert.equal(failures(), 4);
  status = 200;
  await until("its return", () => healthy(proxy) === 1);
  const before = failures();
  status = 500;
  await until("one failure", () => healthy(proxy) === 0);
  assert.equal(failures(), before + 1);
});

test("a host that says it is unhealthy in a response is out at once, its idle connections close, and it returns by its check", async () => {
  let fails = false;
  const waiting: ServerResponse[] = [];
  let checks = says("");
  await using bad = await Backend.start(
    on(
      (request, response) => checks(request, response),
      (request, response) =>
        says("bad", 200, fails ? { "x-envoy-immediate-health-check-fail": "true" } : {})(request, response),
    ),
  );
  await using good = await Backend.named("good");
  await using proxy = await proxyOf([bad.port, good.port], every20Ms({ timeout: duration(60_000) }));
  await until("the first round", () => healthy(proxy) === 2);
  // The next check is under way while it says so.
  checks = (_request, response) => waiting.push(response);
  await until("the next check", () => waiting.length === 1);
  const requests = async (count: number): Promise<string[]> => {
    const bodies: string[] = [];
    for (let i = 0; i < count; i++) bodies.push((await call(proxy.port("in"))).body);
    return bodies;
  };
  assert.equal(new Set(await requests(4)).size, 2);
  fails = true;
  assert.equal((await requests(10)).filter((body) => body === "bad").length, 1);
  assert.equal(healthy(proxy), 1);
  assert.equal(proxy.stat("cluster.a.membership_excluded"), 1);
  assert.equal(proxy.stat("cluster.a.health_check.passive_failure"), 1);
  const status = proxy.runtime.clusterStats().find(({ name }) => name === "a");
  assert.equal(status?.hosts.find(({ address }) => address.endsWith(`:${bad.port}`))?.idleConnections, 0);
  waiting[0]?.end();
  await until("its return", () => healthy(proxy) === 2);
  assert.equal(proxy.stat("cluster.a.membership_excluded"), 0);
});

test("where no health checks are, what a host says of its health is passed on and not heard", async () => {
  await using backend = await Backend.start(says("a", 200, { "x-envoy-immediate-health-check-fail": "true" }));
  await using proxy = await proxyOf([backend.port], {}, { healthChecks: [] });
  assert.equal((await call(proxy.port("in"))).headers["x-envoy-immediate-health-check-fail"], "true");
  assert.equal((await call(proxy.port("in"))).body, "a");
  assert.equal(healthy(proxy), 1);
});

test("a host whose check says that it is degraded gets requests when the others do not suffice", async () => {
  let status = 200;
  await using tired = await Backend.start(on(says("", 200, { "x-envoy-degraded": "true" }), says("tired")));
  await using fresh = await Backend.start(on((_request, response) => response.writeHead(status).end(), says("fresh")));
  // One of two hosts is thought to be able to take all.
  const policy = create(ClusterLoadAssignment_PolicySchema, { overprovisioningFactor: 200 });
  const init = fixed({ ...assignmentInit("a", [tired.port, fresh.port]), policy });
  await using proxy = await proxyOf([], every20Ms(), init);
  await until("the first round", () => healthy(proxy) === 1 && proxy.stat("cluster.a.membership_degraded") === 1);
  for (let i = 0; i < 6; i++) assert.equal((await call(proxy.port("in"))).body, "fresh");
  status = 500;
  await until("the failure", () => healthy(proxy) === 0);
  for (let i = 0; i < 6; i++) assert.equal((await call(proxy.port("in"))).body, "tired");
});

test("an endpoint's own port, address and name are where and as what it is checked", async () => {
  await using backend = await Backend.named("a");
  const seen: string[] = [];
  await using other = await Backend.start((request, response) => {
    seen.push(`${request.headers.host} ${request.url} ${request.socket.localAddress}`);
    response.end();
  });
  const address = (value: number) => ({
    address: {
      case: "socketAddress" as const,
      value: { address: "127.0.0.1", portSpecifier: { case: "portValue" as const, value } },
    },
  });
  for (const place of [
    { portValue: other.port },
    { address: address(other.port) },
    { portValue: other.port, address: address(1) },
  ]) {
    seen.length = 0;
    const init = checkedAt(backend.port, { hostname: "health.example", ...place });
    await using proxy = await proxyOf([], every20Ms(), init);
    await until("the check", () => healthy(proxy) === 1);
    assert.equal(seen[0], "health.example /healthz 127.0.0.1");
    assert.equal(backend.requests, 0);
    assert.equal((await call(proxy.port("in"))).body, "a");
    backend.requests = 0;
  }
});

test("an endpoint that is not to be checked is healthy", async () => {
  await using backend = await Backend.start(on(says("", 500), says("a")));
  const init = checkedAt(backend.port, { disableActiveHealthCheck: true });
  await using proxy = await proxyOf([], every20Ms(), init);
  assert.equal(healthy(proxy), 1);
  assert.equal((await call(proxy.port("in"))).body, "a");
  assert.equal(backend.requests, 1);
});

test("a host that is not assigned any more stays until its check fails; with ignore_health_on_host_removal it goes at once", async () => {
  for (const ignoreHealthOnHostRemoval of [false, true]) {
    let status = 200;
    await using old = await Backend.start(on((_request, response) => response.writeHead(status).end(), says("old")));
    await using next = await Backend.named("next");
    await using proxy = await proxyOf([old.port, next.port], every20Ms(), { ignoreHealthOnHostRemoval });
    await until("the first round", () => healthy(proxy) === 2);
    const total = (): number => proxy.stat("cluster.a.membership_total");
    await proxy.apply({ endpoints: [endpoints("a", [next.port])] });
    assert.equal(total(), ignoreHealthOnHostRemoval ? 1 : 2);
    if (ignoreHealthOnHostRemoval) continue;
    const before = old.requests;
    await until("checks of the one that stays", () => old.requests > before + 2);
    assert.equal(total(), 2);
    const hosts = proxy.runtime.clusterStats().find(({ name }) => name === "a")?.hosts ?? [];
    const staying = hosts.filter(({ pendingRemoval }) => pendingRemoval === true).map(({ address }) => address);
    assert.deepEqual(staying, [`127.0.0.1:${old.port}`]);
    status = 500;
    await until("its end", () => total() === 1);
    const attempts = old.requests;
    for (let i = 0; i < 4; i++) assert.equal((await call(proxy.port("in"))).body, "next");
    assert.equal(old.requests, attempts);
    status = 200;
    await proxy.apply({ endpoints: [endpoints("a", [old.port, next.port])] });
    await until("its return", () => healthy(proxy) === 2);
  }
});

test("a host that outlier detection has put out gets requests again when its check passes", async () => {
  let status = 503;
  await using backend = await Backend.start(on(says(""), (_request, response) => response.writeHead(status).end()));
  const outlierDetection = { consecutive5xx: 1, maxEjectionPercent: 100, baseEjectionTime: duration(600_000) };
  const commonLbConfig = { healthyPanicThreshold: { value: 0 } };
  await using proxy = await proxyOf([backend.port], every20Ms(), { outlierDetection, commonLbConfig });
  await until("the first check", () => healthy(proxy) === 1);
  assert.equal((await call(proxy.port("in"))).status, 503);
  status = 200;
  await until("its return", async () => (await call(proxy.port("in"))).status === 200);
  assert.equal(proxy.stat("cluster.a.outlier_detection.ejections_enforced_total"), 1);
});

test("a host whose answer to a check has no end fails before the check's time is over", async () => {
  let checks = 0;
  await using backend = await Backend.start((_request, response) => {
    checks++;
    const chunk = Buffer.alloc(1024 * 1024);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more);
    more();
  });
  await using proxy = await proxyOf([backend.port], every20Ms({ timeout: duration(600_000) }));
  await until("a failure", () => proxy.stat("cluster.a.health_check.network_failure") > 0);
  await until("the next check", () => checks > 1);
  assert.equal(healthy(proxy), 0);
});

test("three quarters of the requests go to the locality of three times the weight", async () => {
  await using a = await Backend.named("a");
  await using b = await Backend.named("b");
  const locality = (zone: string, port: number, loadBalancingWeight: number) => ({
    locality: { region: "r", zone },
    loadBalancingWeight,
    lbEndpoints: assignmentInit("a", [port]).endpoints?.[0]?.lbEndpoints ?? [],
  });
  const init = fixed({ clusterName: "a", endpoints: [locality("1", a.port, 3), locality("2", b.port, 1)] });
  await using proxy = await TestProxy.start({
    clusters: [
      cluster("a", {
        ...init,
        commonLbConfig: { localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} } },
      }),
    ],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  for (let i = 0; i < 16; i++) await call(proxy.port("in"));
  assert.deepEqual([a.requests, b.requests], [12, 4]);
});
