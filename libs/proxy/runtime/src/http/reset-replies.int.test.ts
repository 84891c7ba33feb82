import assert from "node:assert/strict";
import { Agent } from "node:http";
import { test } from "node:test";
import { until } from "@fairlead/testing-basics";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { Backend, RawBackend } from "../testing/backend.ts";
import { call, exchange } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { Http2Backend } from "../testing/http2-peers.ts";
import { withoutFiles } from "../testing/no-more-files.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, duration, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import { StuckServer } from "../testing/stuck-server.ts";
import type { Logged } from "../testing/world-of-failures.ts";
import type { XdsResource } from "../xds-resource.ts";

const CONNECT_ERROR = 10;
const upgrade = "Connection: close, upgrade\r\nUpgrade: websocket\r\n";

interface World extends AsyncDisposable {
  readonly proxy: TestProxy;
  readonly logged: readonly Logged[];
}

/** Each cluster at the host of its name. */
async function startWorld(...clusters: readonly XdsResource[]): Promise<World> {
  const logged: Logged[] = [];
  const info = (facts: Logged): void => void (typeof facts === "object" && "details" in facts && logged.push(facts));
  const logger = { debug() {}, warn() {}, error() {}, info };
  const hosts = clusters.map(({ name }) => toCluster(name, name));
  const websocket = { upgradeConfigs: [{ upgradeType: "websocket" }] };
  const world = {
    clusters,
    listeners: [listener("in", 0, websocket), listener("as-is", 0, { normalizePath: false })],
    routes: [routes("in", ...hosts), routes("as-is", ...hosts)],
  };
  const proxy = await TestProxy.start(world, { logger, accessLog: true });
  return { proxy, logged, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

/** What the client and the log are told of the last request: Envoy's text for that reason. */
async function checkReset(
  { proxy, logged }: World,
  answer: { readonly status: number; readonly body: string },
  expected: { readonly status?: number; readonly reason: string; readonly flag: string; readonly stat: string },
): Promise<void> {
  const { status = 503, reason, flag, stat } = expected;
  const begin = "upstream connect error or disconnect/reset before headers. reset reason: ";
  assert.deepEqual([answer.status, answer.body], [status, begin + reason]);
  await until("the log", () => logged.length > 0);
  const line = logged.at(-1);
  assert.deepEqual([line?.status, line?.flags], [status, flag]);
  const [words] = reason.split(",", 1);
  const details = `upstream_reset_before_response_started{${words!.replaceAll(" ", "_")}`;
  assert(line?.details.startsWith(details), `${line?.details} does not begin with ${details}`);
  assert.equal(proxy.stat(stat), 1, stat);
}

/** The answer to an HTTP/1.1 request that is given as bytes, on a connection of its own. */
async function send(proxy: TestProxy, name: string, bytes: string): Promise<{ status: number; body: string }> {
  const text = await exchange(proxy.port(name), bytes);
  return { status: Number(text.slice(9, 12)), body: text.slice(text.indexOf("\r\n\r\n") + 4) };
}

test("a host that does not take the connection: connection timeout", async () => {
  await using stuck = await StuckServer.start();
  const a = cluster("a", {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    connectTimeout: duration(200),
    loadAssignment: assignmentInit("a", [stuck.port]),
  });
  await using world = await startWorld(a);
  const answer = await call(world.proxy.port("in"), { headers: { host: "a" } });
  const stat = "cluster.a.upstream_cx_connect_timeout";
  await checkReset(world, answer, { reason: "connection timeout", flag: "UF", stat });
});

test("a proxy that has no file left for the connection: local connection failure", async () => {
  await using backend = await Backend.named("b");
  await using world = await startWorld(staticCluster("a", [backend.port]));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () => call(world.proxy.port("in"), { headers: { host: "nobody" }, agent });
  assert.equal((await ask()).status, 404);
  const answer = await withoutFiles(() => call(world.proxy.port("in"), { headers: { host: "a" }, agent }));
  const reason = "local connection failure, transport failure reason: immediate connect error: Too many open files";
  await checkReset(world, answer, { reason, flag: "UF", stat: "cluster.a.upstream_cx_connect_fail" });
  assert.equal((await call(world.proxy.port("in"), { headers: { host: "a" }, agent })).body, "b");
  agent.destroy();
});

test("a host that says CONNECT_ERROR: remote error with CONNECT request", async () => {
  await using backend = await Http2Backend.start((stream) => stream.close(CONNECT_ERROR));
  await using world = await startWorld(http2Cluster("a", [backend.port], {}, { allowConnect: true }));
  const answer = await call(world.proxy.port("in"), { headers: { host: "a" } });
  const stat = "cluster.a.upstream_rq_rx_reset";
  await checkReset(world, answer, { reason: "remote error with CONNECT request", flag: "UR", stat });
});

test("a host of HTTP/2 that takes no WebSocket: local reset", async () => {
  await using backend = await Http2Backend.start((stream) => stream.respond({}, { endStream: true }));
  await using world = await startWorld(http2Cluster("a", [backend.port]));
  // The host has said what it takes by then.
  assert.equal((await call(world.proxy.port("in"), { headers: { host: "a" } })).status, 200);
  const answer = await send(world.proxy, "in", `GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
  await checkReset(world, answer, { reason: "local reset", flag: "LR", stat: "cluster.a.upstream_rq_503" });
});

test("a response head that is too large or has too many headers: 502 where the host speaks HTTP/1.1, 503 for HTTP/2", async () => {
  const large = `x: ${"y".repeat(100_000)}\r\n`;
  for (const more of [large, "x: y\r\n".repeat(101)]) {
    const head = `HTTP/1.1 200 OK\r\n${more}\r\n`;
    await using backend = await RawBackend.start((socket) => void socket.once("data", () => socket.write(head)));
    await using world = await startWorld(staticCluster("a", [backend.port]));
    const answer = await call(world.proxy.port("in"), { headers: { host: "a" } });
    const stat = "cluster.a.upstream_cx_protocol_error";
    await checkReset(world, answer, { status: 502, reason: "protocol error", flag: "UPE", stat });
  }
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, "y"]));
  for (const more of [{ x: "y".repeat(33_000), z: "y".repeat(33_000) }, many]) {
    await using backend = await Http2Backend.start((stream) => stream.respond(more, { endStream: true }));
    await using world = await startWorld(http2Cluster("a", [backend.port]));
    const answer = await call(world.proxy.port("in"), { headers: { host: "a" } });
    await checkReset(world, answer, { reason: "remote reset", flag: "UR", stat: "cluster.a.upstream_rq_rx_reset" });
  }
});

test("a request for no path is not routed, whether or not paths are normalised", async () => {
  await using world = await startWorld();
  const { proxy, logged } = world;
  for (const name of ["in", "as-is"]) {
    const answer = await send(proxy, name, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert.deepEqual(answer, { status: 404, body: "" });
    await until("the log", () => logged.at(-1)?.details === "absolute_path_rejected");
  }
  // Neither a path nor a URL: the bytes are no request.
  const answer = await send(proxy, "in", "GET x HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal(answer.status, 400);
  await until("the log", () => logged.at(-1)?.details === "http1.codec_error");
});
