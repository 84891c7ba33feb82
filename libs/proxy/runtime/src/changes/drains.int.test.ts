import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { Listener_DrainType } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { HealthCheckSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { call, keepAliveAgent } from "../testing/client.ts";
import { TestProxy, type World } from "../testing/proxy.ts";
import { cluster, duration, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

const GOAWAY = 7;

function world(backend: Backend, init: Parameters<typeof listener>[2] = {}): World {
  return {
    clusters: [cluster("a")],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0, init)],
    routes: [routes("in", toCluster("*", "a"))],
  };
}

test("a listener that goes lets connections go with their responses, at their time, and idle ones at the last", async () => {
  await using backend = await Backend.named("b");
  // Three quarters of 2000 ms are gradual: half of that must have passed.
  await using proxy = await TestProxy.start(world(backend), { drainTimeoutMs: 2000, random: () => 0.5 });
  const port = proxy.port("in");
  const agent = keepAliveAgent(1);
  const idle = connect(port, "127.0.0.1");
  let idleEndedMs = 0;
  idle.on("close", () => (idleEndedMs = performance.now()));
  await call(port, { agent });
  await until("both are there", () => proxy.stat("http.in.downstream_cx_active") === 2);
  const begun = performance.now();
  await proxy.apply({ listeners: [] });
  let closedMs = 0;
  while (closedMs === 0) {
    const answer = await call(port, { agent });
    assert.equal(answer.status, 200);
    if (answer.headers.connection === "close") closedMs = performance.now() - begun;
  }
  assert(closedMs > 700 && closedMs < 1500, `${closedMs} ms`);
  assert.equal(proxy.stat("http.in.downstream_cx_drain_close"), 1);
  await until("the listener has gone", () => proxy.runtime.listeners().length === 0);
  await until("the idle connection is closed", () => idleEndedMs > 0);
  assert(idleEndedMs - begun > 1900, `${idleEndedMs - begun} ms`);
  agent.destroy();
});

test("a drain at once hastens one that is gradual", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await TestProxy.start(world(backend), { drainTimeoutMs: 60_000 });
  const idle = connect(proxy.port("in"), "127.0.0.1");
  await until("it is there", () => proxy.stat("http.in.downstream_cx_active") === 1);
  const gradual = proxy.runtime.drain({ strategy: "gradual" });
  await until("draining", () => proxy.runtime.listeners()[0]?.state === "draining");
  const begun = performance.now();
  await proxy.runtime.drain();
  await gradual;
  const tookMs = performance.now() - begun;
  // Before the connection's own time is over.
  assert(tookMs < 8000, `${tookMs} ms`);
  idle.destroy();
});

test("a drain at once serves a request that was on its way on an idle connection", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await TestProxy.start(world(backend), { drainTimeoutMs: 5000 });
  const agent = keepAliveAgent(1);
  const port = proxy.port("in");
  await call(port, { agent });
  const drained = proxy.runtime.drain();
  await until("draining", () => proxy.runtime.listeners().every(({ state }) => state === "draining"));
  // Its connections are told only when the address is free.
  for (let ends = false; !ends;) {
    const answer = await call(port, { agent });
    assert.equal(answer.status, 200);
    ends = answer.headers.connection === "close";
  }
  await drained;
  agent.destroy();
});

test("a drain at once serves what came in time to a busy thread, however long the response takes", async () => {
  await using backend = await Backend.start((_request, response) => {
    setTimeout(() => response.end("late"), 500);
  });
  await using proxy = await TestProxy.start(world(backend), { drainTimeoutMs: 5000 });
  const port = proxy.port("in");
  const client = connect(port, "127.0.0.1");
  let received = "";
  client.on("data", (chunk) => (received += String(chunk)));
  await until("it is there", () => proxy.stat("http.in.downstream_cx_active") === 1);
  const drained = proxy.runtime.drain();
  await until("its address is free", () => call(port).then(() => false, () => true)); // prettier-ignore
  client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  // The time for last requests passes before any is read.
  const busyUntil = performance.now() + 600;
  while (performance.now() < busyUntil);
  await drained;
  await until("the response", () => received.includes("late"));
  assert.match(received, /^HTTP\/1.1 200 [^]*\r\nconnection: close\r\n/u);
  client.destroy();
});

test("what drains listens nowhere any more, whatever it is told", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await TestProxy.start(world(backend));
  const port = proxy.port("in");
  await proxy.runtime.drain();
  assert.deepEqual(await proxy.apply({ listeners: [listener("in", port), listener("other", 0)] }), []);
  assert.deepEqual(proxy.runtime.listeners(), []);
  await assert.rejects(call(port), /ECONNREFUSED/);
});

test("a graceful drain accepts until its gradual part is over", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await TestProxy.start(world(backend), { drainTimeoutMs: 1000, random: () => 0 });
  const port = proxy.port("in");
  const drained = proxy.runtime.drain({ strategy: "gradual", accepting: true });
  await until("still active", () => proxy.runtime.listeners()[0]?.state === "active");
  const answer = await call(port, { agent: keepAliveAgent(1) });
  assert.deepEqual([answer.status, answer.headers.connection], [200, "close"]);
  await drained;
  await assert.rejects(call(port), /ECONNREFUSED/);
});

test("a health check that is failed: every response closes, the health check filter says 503; and back", async () => {
  await using backend = await Backend.named("b");
  const healthCheck = create(HealthCheckSchema, {
    passThroughMode: false,
    headers: [
      {
        name: ":path",
        headerMatchSpecifier: { case: "stringMatch", value: { matchPattern: { case: "exact", value: "/healthz" } } },
      },
    ],
  });
  const filter = (name: string, value: Any) => ({ name, configType: { case: "typedConfig" as const, value } });
  const httpFilters = [
    filter("health", anyPack(HealthCheckSchema, healthCheck)),
    filter("router", anyPack(RouterSchema, create(RouterSchema))),
  ];
  await using proxy = await TestProxy.start(world(backend, { httpFilters }));
  const agent = keepAliveAgent(1);
  const ask = async (path: string): Promise<unknown[]> => {
    const { status, headers } = await call(proxy.port("in"), { path, agent });
    return [status, headers.connection, headers["x-envoy-immediate-health-check-fail"]];
  };
  assert.deepEqual(await ask("/healthz"), [200, undefined, undefined]);
  proxy.runtime.failHealthCheck(true);
  assert.deepEqual(await ask("/healthz"), [503, "close", "true"]);
  assert.deepEqual(await ask("/"), [200, "close", "true"]);
  proxy.runtime.failHealthCheck(false);
  assert.deepEqual(await ask("/healthz"), [200, undefined, undefined]);
  agent.destroy();
});

test("a listener that drains with MODIFY_ONLY keeps its connections while the health check is failed", async () => {
  await using backend = await Backend.named("b");
  const all = world(backend);
  await using proxy = await TestProxy.start(all);
  await proxy.apply({ listeners: [listener("in", 0, {}, { drainType: Listener_DrainType.MODIFY_ONLY })] });
  const agent = keepAliveAgent(1);
  proxy.runtime.failHealthCheck(true);
  assert.equal((await call(proxy.port("in"), { agent })).headers.connection, undefined);
  agent.destroy();
  await proxy.apply(all);
  const another = keepAliveAgent(1);
  assert.equal((await call(proxy.port("in"), { agent: another })).headers.connection, "close");
  another.destroy();
});

test("an HTTP/2 client that does not answer is not waited for beyond drain_timeout: a second GOAWAY, and the end", async () => {
  await using backend = await Backend.named("b");
  const init = { drainTimeout: duration(100), delayedCloseTimeout: duration(100) };
  await using proxy = await TestProxy.start(world(backend, init), { drainTimeoutMs: 3000 });
  const socket = connect(proxy.port("in"), "127.0.0.1");
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
  socket.on("end", () => (ended = true));
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await until("its settings", () => chunks.length > 0);
  const begun = performance.now();
  await proxy.apply({ listeners: [] });
  await until("the end", () => ended);
  const tookMs = performance.now() - begun;
  // After the gradual part and the drain_timeout, and before the listener ends all that is left.
  assert(tookMs > 2300 && tookMs < 2950, `${tookMs} ms`);
  const goAways = framesOf(Buffer.concat(chunks)).filter(({ type }) => type === GOAWAY);
  assert.deepEqual(
    goAways.map(({ body }) => body.readUInt32BE(0)),
    [0x7fffffff, 0],
  );
});

function framesOf(bytes: Buffer): { readonly type: number; readonly body: Buffer }[] {
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    frames.push({ type: bytes[at + 3] ?? 0, body: bytes.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return frames;
}

test("delayed_close_timeout: a client that does not close is not waited for longer", async () => {
  await using backend = await Backend.named("b");
  await using proxy = await TestProxy.start(world(backend, { delayedCloseTimeout: duration(100) }));
  await using patient = await TestProxy.start(world(backend, { delayedCloseTimeout: duration(60_000) }));
  const leave = (port: number): void => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined);
    socket.resume();
    socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  };
  leave(patient.port("in"));
  leave(proxy.port("in"));
  await until("answered", () => patient.stat("http.in.downstream_rq_2xx") === 1);
  await until("answered", () => proxy.stat("http.in.downstream_rq_2xx") === 1);
  await until("closed", () => proxy.stat("http.in.downstream_cx_active") === 0);
  assert.equal(patient.stat("http.in.downstream_cx_active"), 1);
});
