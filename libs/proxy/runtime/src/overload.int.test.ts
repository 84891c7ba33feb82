import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { type OverloadConfig, parseOverloadActions } from "@fairlead/proxy-overload";
import { until } from "@fairlead/testing-basics";
import { Backend } from "./testing/backend.ts";
import { call, keepAliveAgent } from "./testing/client.ts";
import { TestProxy } from "./testing/proxy.ts";
import { duration, listener, routes, staticCluster, toCluster } from "./testing/resources.ts";

const active = (action: string): string => `overload.envoy.overload_actions.${action}.active`;

/** Any process uses more than one byte. */
function outOfMemory(actions: string): OverloadConfig {
  return { maxMemoryBytes: 1, triggers: parseOverloadActions(actions) };
}

async function proxyOf(backend: Backend, overload: OverloadConfig, init: object = {}): Promise<TestProxy> {
  const world = {
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, init)],
    routes: [routes("in", toCluster("*", "a"))],
  };
  return TestProxy.start(world, { overload });
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

test("stop_accepting_requests: requests are refused before anything is done with them", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await proxyOf(backend, outOfMemory("stop_accepting_requests=memory:0.95"));
  assert.equal((await call(proxy.port("in"))).status, 200);
  await until("the action", () => proxy.stat(active("stop_accepting_requests")) === 1);
  const { status, body } = await call(proxy.port("in"));
  assert.deepEqual([status, body], [503, "envoy overloaded"]);
  const requests = backend.requests;
  const grpc = await call(proxy.port("in"), { method: "POST", headers: { "content-type": "application/grpc" } });
  assert.deepEqual([grpc.status, grpc.headers["grpc-status"], grpc.headers["grpc-message"]], [200, "14", "envoy overloaded"]); // prettier-ignore
  assert.equal(backend.requests, requests);
  assert.equal(proxy.stat("http.in.downstream_rq_overload_close"), 2);
  assert.ok(proxy.stat("overload.envoy.resource_monitors.cgroup_memory.pressure") > 100);
});

test("disable_http_keepalive: connections end with their response, in HTTP/2 by a GOAWAY", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await proxyOf(backend, outOfMemory("disable_http_keepalive=memory:0.95"));
  const agent = keepAliveAgent(1);
  const session = connectHttp2(`http://127.0.0.1:${proxy.port("in")}`);
  const away = once(session, "goaway");
  try {
    assert.notEqual((await call(proxy.port("in"), { agent })).headers.connection, "close");
    await until("the action", () => proxy.stat(active("disable_http_keepalive")) === 1);
    const last = await call(proxy.port("in"), { agent });
    assert.deepEqual([last.status, last.headers.connection], [200, "close"]);
    const stream = session.request({ ":path": "/" });
    const [headers] = (await once(stream, "response")) as [{ ":status": number }];
    assert.equal(headers[":status"], 200);
    stream.resume();
    await away;
    assert.equal(proxy.stat("http.in.downstream_cx_overload_disable_keepalive"), 2);
    assert.equal(proxy.stat("http.in.downstream_cx_drain_close"), 0);
  } finally {
    agent.destroy();
    session.destroy();
  }
});

test("reject_incoming_connections: new connections are closed, open ones go on", async () => {
  await using backend = await Backend.named("a");
  await using proxy = await proxyOf(backend, outOfMemory("reject_incoming_connections=memory:0.95"));
  const agent = keepAliveAgent(1);
  try {
    assert.equal((await call(proxy.port("in"), { agent })).status, 200);
    await until("the action", () => proxy.stat(active("reject_incoming_connections")) === 1);
    const refused = await connected(proxy.port("in"));
    await once(refused, "close");
    assert.equal((await call(proxy.port("in"), { agent })).status, 200);
    assert.equal(proxy.stat(`listener.127.0.0.1_${proxy.port("in")}.downstream_cx_overload_reject`), 1);
    assert.equal(proxy.stat(`listener.127.0.0.1_${proxy.port("in")}.downstream_cx_active`), 1);
  } finally {
    agent.destroy();
  }
});

test("stop_accepting_connections: new connections wait until it is over, and nothing of theirs is lost", async () => {
  await using backend = await Backend.named("a");
  const triggers = parseOverloadActions("stop_accepting_connections=connections:1");
  await using proxy = await proxyOf(backend, { maxConnections: 1, triggers });
  const first = await connected(proxy.port("in"));
  await until("the action", () => proxy.stat(active("stop_accepting_connections")) === 1);
  let answered = false;
  const waiting = call(proxy.port("in"), { agent: false, method: "POST", body: "x".repeat(100_000) }).then((answer) => {
    answered = true;
    return answer;
  });
  const address = `listener.127.0.0.1_${proxy.port("in")}`;
  const held = `${address}.downstream_cx_overload_held_active`;
  await until("it is connected", () => proxy.stat(held) === 1);
  assert.deepEqual([answered, proxy.stat("http.in.downstream_cx_total")], [false, 1]);
  first.destroy();
  assert.equal((await waiting).status, 200);
  assert.equal(proxy.stat(held), 0);
});

test("reduce_timeouts: idle connections are closed sooner, those that were idle before, too", async () => {
  await using backend = await Backend.named("a");
  const init = { commonHttpProtocolOptions: { idleTimeout: duration(20_000) } };
  await using proxy = await proxyOf(backend, outOfMemory("reduce_timeouts=memory:0.8-0.9"), init);
  const start = performance.now();
  const ended: Promise<unknown>[] = [];
  const callOnce = async (): Promise<void> => {
    const socket = await connected(proxy.port("in"));
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(socket, "data");
    socket.resume();
    ended.push(once(socket, "close"));
  };
  await callOnce();
  const session = connectHttp2(`http://127.0.0.1:${proxy.port("in")}`);
  ended.push(once(session, "close"));
  const stream = session.request({ ":path": "/" });
  stream.resume();
  await once(stream, "end");
  assert.equal(proxy.stat(active("reduce_timeouts")), 0);
  await until("the action", () => proxy.stat(active("reduce_timeouts")) === 1);
  await callOnce();
  await Promise.all(ended);
  assert.ok(performance.now() - start < 15_000);
  await until("all are counted as idle", () => proxy.stat("http.in.downstream_cx_idle_timeout") === 3);
  assert.equal(proxy.stat("overload.envoy.overload_actions.reduce_timeouts.scale_percent"), 100);
});
