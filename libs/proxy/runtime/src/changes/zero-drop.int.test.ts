import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { HealthStatus } from "@fairlead/envoy-api/envoy/config/core/v3/health_check_pb.js";
import { ClusterLoadAssignmentSchema } from "@fairlead/envoy-api/envoy/config/endpoint/v3/endpoint_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { freePort, until } from "@fairlead/testing-basics";
import { SteadyLoad } from "@fairlead/testing-load";
import { Backend } from "../testing/backend.ts";
import { plainWorld } from "../testing/plain-world.ts";
import { TestProxy, type World } from "../testing/proxy.ts";
import { assignmentInit, cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

const host = "x";

function drainingEndpoint(name: string, ports: readonly number[], draining: number): XdsResource {
  const message = create(ClusterLoadAssignmentSchema, assignmentInit(name, ports));
  message.endpoints[0]!.lbEndpoints[ports.indexOf(draining)]!.healthStatus = HealthStatus.DRAINING;
  return { name, body: toBinary(ClusterLoadAssignmentSchema, message) };
}

function tcpListener(name: string, port: number, clusterName: string): XdsResource {
  const proxy = create(TcpProxySchema, { statPrefix: "t", clusterSpecifier: { case: "cluster", value: clusterName } });
  const config = { case: "typedConfig" as const, value: anyPack(TcpProxySchema, proxy) };
  return listener(name, port, {}, { filterChains: [{ filters: [{ name: "tcp", configType: config }] }] });
}

/** Nothing failed, and every kind of client was there. */
async function assertNoneFailed(load: SteadyLoad): Promise<void> {
  await load.stop();
  assert.deepEqual(load.failures, []);
  for (const [kind, count] of Object.entries(load.done)) assert(count > 20, `${kind}: ${count} requests`);
}

test("a hundred pushes of clusters, endpoints, routes and listeners fail no request", async () => {
  await using one = await Backend.named("one");
  await using two = await Backend.named("two");
  const world = (i: number): Required<Omit<World, "secrets">> => ({
    clusters: [cluster("a", { maxRequestsPerConnection: 1000 + i }), cluster(`b${i % 3}`)],
    endpoints: [endpoints("a", i % 2 === 0 ? [one.port] : [two.port]), endpoints(`b${i % 3}`, [two.port])],
    // Now the manager alone changes, now the chain and what it matches.
    listeners: [
      listener("in", 0, { serverName: `v${i}`, statPrefix: i % 4 === 0 ? "in" : `in${i % 4}` }),
      ...(i % 2 === 0 ? [listener("other", 0)] : []),
    ],
    routes: [routes("in", toCluster("*", i % 2 === 0 ? "a" : `b${i % 3}`))],
  });
  await using proxy = await TestProxy.start(world(0));
  await using load = new SteadyLoad({ port: proxy.port("in"), host });
  for (let i = 1; i <= 100; i++) {
    // Make before break, as a control plane does: new clusters, routes to them, then the old clusters go.
    const { clusters: next, ...rest } = world(i);
    const { clusters: last } = world(i - 1);
    assert.deepEqual(await proxy.apply({ clusters: [...next, ...last.slice(1)].filter(isFirstOfName), ...rest }), []);
    await load.progress(15);
    assert.deepEqual(await proxy.apply({ clusters: next }), []);
  }
  await assertNoneFailed(load);
});

function isFirstOfName(resource: XdsResource, index: number, all: readonly XdsResource[]): boolean {
  return all.findIndex((other) => other.name === resource.name) === index;
}

test("a listener is replaced at its address, by name, by chain and by protocol, and no request fails", async () => {
  await using backend = await Backend.named("b");
  await using inner = await TestProxy.start(plainWorld(backend.port));
  const port = await freePort();
  await using proxy = await TestProxy.start({
    clusters: [cluster("a"), cluster("inner")],
    endpoints: [endpoints("a", [backend.port]), endpoints("inner", [inner.port("in")])],
    listeners: [listener("first", port)],
    routes: [routes("first", toCluster("*", "a")), routes("second", toCluster("*", "a"))],
  });
  await using load = new SteadyLoad({ port, host });
  await load.progress(100);
  assert.deepEqual(await proxy.apply({ listeners: [listener("fixed", port)] }), []);
  assert.deepEqual(await proxy.apply({ routes: [routes("fixed", toCluster("*", "a"))] }), []);
  await load.progress(200);
  // Its routes come later: the one before serves until then.
  assert.deepEqual(await proxy.apply({ listeners: [listener("second", port)] }), []);
  await load.progress(100);
  assert.deepEqual(
    proxy.runtime.listeners().flatMap(({ name, state }) => (state === "draining" ? [] : [`${name} ${state}`])),
    ["second warming", "fixed active"],
  );
  assert.deepEqual(await proxy.apply({ routes: [routes("second", toCluster("*", "a"))] }), []);
  await load.progress(200);
  assert.equal(proxy.port("second"), port);
  // Another protocol under the same name, and under another.
  assert.deepEqual(await proxy.apply({ listeners: [tcpListener("second", port, "inner")] }), []);
  await load.progress(200);
  assert(proxy.stat("tcp.t.downstream_cx_total") > 0);
  await assertNoneFailed(load);
});

test("two listeners at one address are refused, and the one that was there serves on", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await TestProxy.start(plainWorld(backend.port));
  const port = proxy.port("in");
  await proxy.apply({ listeners: [listener("in", port)] });
  const rejections = await proxy.apply({ listeners: [listener("other", port), listener("in", port)] });
  assert.deepEqual(rejections, [{ name: "other", reason: `address: 127.0.0.1:${port} is the address of listener in` }]);
  assert.equal(proxy.port("in"), port);
});

test("an endpoint drains, goes, and its server stops; no request fails", async () => {
  await using kept = await Backend.named("kept");
  const leaving = await Backend.start((_request, response) => void setTimeout(() => response.end("leaving"), 3));
  let open = 0;
  leaving.server.on("connection", (socket) => {
    open++;
    socket.on("close", () => open--);
  });
  const both = [kept.port, leaving.port];
  await using proxy = await TestProxy.start({
    clusters: [cluster("a")],
    endpoints: [endpoints("a", both)],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  await using load = new SteadyLoad({ port: proxy.port("in"), host });
  await load.progress(100);
  assert(leaving.requests > 10);
  await proxy.apply({ endpoints: [drainingEndpoint("a", both, leaving.port)] });
  await load.progress(50);
  const seen = leaving.requests;
  await load.progress(100);
  assert.equal(leaving.requests, seen, "requests to an endpoint that drains");
  await proxy.apply({ endpoints: [endpoints("a", [kept.port])] });
  await until("the connections to it are closed", () => open === 0);
  await leaving[Symbol.asyncDispose]();
  await load.progress(200);
  await assertNoneFailed(load);
});

test("a cluster is replaced by one of the same name with other hosts and another balancer; no request fails", async () => {
  await using one = await Backend.named("one");
  await using two = await Backend.named("two");
  await using proxy = await TestProxy.start(plainWorld(one.port));
  await using load = new SteadyLoad({ port: proxy.port("in"), host });
  const policies = [Cluster_LbPolicy.LEAST_REQUEST, Cluster_LbPolicy.RANDOM, Cluster_LbPolicy.ROUND_ROBIN];
  for (let i = 0; i < 12; i++) {
    const lbPolicy = policies[i % policies.length] ?? Cluster_LbPolicy.ROUND_ROBIN;
    assert.deepEqual(await proxy.apply({ clusters: [cluster("a", { lbPolicy })] }), []);
    // It warms: the one before it serves.
    await load.progress(20);
    assert.deepEqual(await proxy.apply({ endpoints: [endpoints("a", [i % 2 === 0 ? two.port : one.port])] }), []);
    await load.progress(40);
  }
  assert(one.requests > 50 && two.requests > 50);
  await assertNoneFailed(load);
});
