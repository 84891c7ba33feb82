import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import type { FilterChainSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { until } from "@fairlead/testing-basics";
import { RawBackend } from "../testing/backend.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, duration, listener, staticCluster } from "../testing/resources.ts";

type Chain = Extract<MessageInitShape<typeof FilterChainSchema>, { readonly $typeName?: undefined }>;

function tcp(clusterName: string, statPrefix = "t", idleMs = 60_000): Chain {
  const value = anyPack(
    TcpProxySchema,
    create(TcpProxySchema, {
      statPrefix,
      clusterSpecifier: { case: "cluster", value: clusterName },
      idleTimeout: duration(idleMs),
    }),
  );
  return { filters: [{ name: "tcp", configType: { case: "typedConfig", value } }] };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

test("a host that reads late gets all that a client has sent, also when its own half has ended first", async () => {
  let received = 0;
  let ended = 0;
  await using backend = await RawBackend.start((socket) => {
    socket.allowHalfOpen = true;
    socket.pause();
    socket.end("welcome");
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.on("end", () => ended++);
    socket.on("close", () => ended++);
    void turns(400).then(() => socket.resume());
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, {}, { filterChains: [tcp("a")] })],
  });
  // What the system takes before the host reads is not known: of some sizes the proxy has the rest.
  for (let size = 1_000_000; size <= 9_000_000; size += 400_000) {
    received = 0;
    ended = 0;
    const socket = connect({ port: proxy.port("in"), host: "127.0.0.1", allowHalfOpen: true }, () =>
      socket.end(Buffer.alloc(size, "x")),
    );
    socket.resume();
    await until("the end of what the host reads", () => ended > 0);
    assert.equal(received, size);
    socket.destroy();
  }
});

test("a client that reads late gets all that the proxy has of its host, also when the host has broken the connection", async () => {
  let closed = 0;
  let size = 0;
  await using backend = await RawBackend.start((socket) => {
    socket.resume();
    socket.once("data", () => socket.end(Buffer.alloc(size, "x")));
    socket.on("finish", () => socket.destroy());
    socket.on("close", () => closed++);
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, {}, { filterChains: [tcp("a")] })],
  });
  let broken = 0;
  let total = 0;
  for (size = 1_000_000; size <= 9_000_000; size += 400_000) {
    const before = closed;
    const socket = connect({ port: proxy.port("in"), host: "127.0.0.1", allowHalfOpen: true }, () =>
      socket.write("go"),
    );
    socket.pause();
    await turns(300);
    // The host's system answers it with a reset.
    socket.write("more");
    await turns(50);
    socket.write("more");
    await turns(100);
    if (closed > before && proxy.stat("tcp.t.downstream_cx_active") > 0) broken++;
    socket.on("data", (chunk: Buffer) => (total += chunk.length));
    socket.resume();
    await once(socket, "end");
    socket.destroy();
    await until("the end", () => proxy.stat("tcp.t.downstream_cx_active") === 0);
    assert.equal(total, proxy.stat("tcp.t.downstream_cx_tx_bytes_total"));
  }
  assert(broken > 0, "of no size did the proxy have the rest");
});

test("what waits for a side that does not read is limited: for clients by the listener, for hosts by the cluster", async () => {
  const bytes = Buffer.alloc(64 * 1024 * 1024);
  await using backend = await RawBackend.start((socket) => {
    socket.pause();
    socket.write(bytes);
  });
  const limits = [64 * 1024, 16 * 1024 * 1024];
  await using proxy = await TestProxy.start({
    clusters: limits.map((limit) =>
      cluster(`${limit}`, {
        clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
        edsClusterConfig: undefined,
        loadAssignment: assignmentInit(`${limit}`, [backend.port]),
        perConnectionBufferLimitBytes: limit,
      }),
    ),
    listeners: limits.map((limit) =>
      listener(
        `${limit}`,
        0,
        {},
        { perConnectionBufferLimitBytes: limit, filterChains: [tcp(`${limit}`, `${limit}`)] },
      ),
    ),
  });
  const read = (limit: number): number[] =>
    ["tx", "rx"].map((way) => proxy.stat(`tcp.${limit}.downstream_cx_${way}_bytes_total`));
  const taken: number[][] = [];
  for (const limit of limits) {
    const socket = connect({ port: proxy.port(`${limit}`), host: "127.0.0.1" }, () => socket.write(bytes));
    socket.on("error", () => undefined);
    socket.pause();
    let before: number[] = [];
    for (let same = 0; same < 10;) {
      await turns(20);
      const now = read(limit);
      same = Math.min(...now) > 0 && now.join(" ") === before.join(" ") ? same + 1 : 0;
      before = now;
    }
    taken.push(before);
    socket.destroy();
  }
  const [few, many] = taken;
  // The system's own share is alike.
  for (const way of [0, 1]) assert(many![way]! - few![way]! > 8 * 1024 * 1024, JSON.stringify(taken));
});

test("a client that takes what waits for it slowly is not idle; one that takes nothing of it is", async () => {
  const bytes = Buffer.alloc(12_000_000);
  await using backend = await RawBackend.start((socket) => {
    socket.resume();
    socket.end(bytes);
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener("in", 0, {}, { perConnectionBufferLimitBytes: 4 * 1024 * 1024, filterChains: [tcp("a", "t", 200)] }),
    ],
  });
  const socket = connect({ port: proxy.port("in"), host: "127.0.0.1" });
  let received = 0;
  // All that waits takes three times as long as a connection may be idle, each part of it a twentieth.
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), 10);
  });
  await once(socket, "end");
  assert.equal(received, bytes.length);
  await until("the end", () => proxy.stat("tcp.t.downstream_cx_active") === 0);
  const before = proxy.stat("tcp.t.idle_timeout");
  const other = connect({ port: proxy.port("in"), host: "127.0.0.1" });
  other.pause();
  await until("the end of one that takes nothing", () => proxy.stat("tcp.t.idle_timeout") === before + 1);
  other.destroy();
});
