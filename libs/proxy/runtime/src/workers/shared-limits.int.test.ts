import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectionLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend, RawBackend } from "../testing/backend.ts";
import { call } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { cluster, endpoints, listener, routes, toCluster } from "../testing/resources.ts";

function filter<Desc extends DescMessage>(name: string, schema: Desc, init: MessageInitShape<Desc>) {
  return { name, configType: { case: "typedConfig" as const, value: anyPack(schema, create(schema, init)) } };
}

const limitFilter = filter("limit", ConnectionLimitSchema, { statPrefix: "few", maxConnections: 3n });

type ClusterInit = NonNullable<Parameters<typeof cluster>[1]>;
const perHost: ClusterInit = { circuitBreakers: { perHostThresholds: [{ maxConnections: 3 }] } };
const rows: readonly (readonly [
  where: string,
  before: readonly ReturnType<typeof filter>[],
  init: ClusterInit,
  counter: string,
])[] = [
  ["to a listener", [limitFilter], {}, "listener.127.0.0.1_PORT.connection_limit.few.limited_connections"],
  ["of bytes to a host", [], perHost, "cluster.a.upstream_cx_overflow"],
];

for (const [where, before, init, counter] of rows) {
  test(`a limit of connections ${where} is of all workers together`, async () => {
    await using backend = await RawBackend.start((socket) => socket.write("hello"));
    const filters = [
      ...before,
      filter("tcp", TcpProxySchema, { statPrefix: "t", clusterSpecifier: { case: "cluster", value: "a" } }),
    ];
    await using proxy = await ProxyInThreads.start({
      clusters: [cluster("a", init)],
      endpoints: [endpoints("a", [backend.port])],
      listeners: [listener("in", 0, {}, { filterChains: [{ filters }] })],
    });
    const port = proxy.port("in");
    const open: Socket[] = [];
    const tryOne = async (): Promise<boolean> => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      const served = await Promise.race([
        once(socket, "data").then(() => true),
        once(socket, "close").then(() => false),
      ]);
      if (served) open.push(socket);
      return served;
    };
    const first = [];
    for (let i = 0; i < 12; i++) first.push(await tryOne());
    assert.deepEqual(first, [true, true, true, ...Array.from({ length: 9 }, () => false)]);
    assert.equal(proxy.stat(counter.replace("PORT", String(port))), 9);
    open.shift()?.destroy();
    await until("the end of one", () => proxy.stat("tcp.t.downstream_cx_active") === 2);
    while (!(await tryOne()));
    assert.equal(await tryOne(), false);
    for (const socket of open) socket.destroy();
  });
}

test("a limit of connections to a host is of all workers together, but for the first of each", async () => {
  const waiting: (() => void)[] = [];
  let most = 0;
  await using backend = await Backend.start((_request, response) => void waiting.push(() => response.end("a")));
  let connections = 0;
  backend.server.on("connection", (socket) => {
    most = Math.max(most, ++connections);
    socket.on("close", () => connections--);
  });
  const circuitBreakers = { perHostThresholds: [{ maxConnections: 4 }] };
  await using proxy = await ProxyInThreads.start({
    clusters: [cluster("a", { circuitBreakers })],
    endpoints: [endpoints("a", [backend.port])],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const answers = Array.from({ length: 40 }, () => call(proxy.port("in"), { agent: false }));
  await until("all of them", () => waiting.length >= 4 && proxy.stat("cluster.a.upstream_rq_active") === 40);
  let over = false;
  const all = Promise.all(answers).finally(() => (over = true));
  await until("their answers", () => {
    for (const answer of waiting.splice(0)) answer();
    return over;
  });
  assert.deepEqual(new Set((await all).map(({ status }) => status)), new Set([200]));
  // Both may make the last one that is allowed at the same moment.
  assert(most >= 4 && most <= 5, `${most} connections`);
});
