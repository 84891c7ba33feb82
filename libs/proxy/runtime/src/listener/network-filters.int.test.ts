import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { ConnectionLimitSchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { registerNetworkFilter } from "@fairlead/proxy-filter";
import { freePort } from "@fairlead/testing-basics";
import { RawBackend } from "../testing/backend.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, staticCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

function filter<Desc extends DescMessage>(name: string, schema: Desc, init: MessageInitShape<Desc>) {
  return { name, configType: { case: "typedConfig" as const, value: anyPack(schema, create(schema, init)) } };
}

type TcpInit = Extract<MessageInitShape<typeof TcpProxySchema>, { readonly $typeName?: undefined }>;

function tcpListener(before: readonly object[], init: TcpInit = {}, chainName = "bytes"): XdsResource {
  const proxy = filter("tcp", TcpProxySchema, {
    statPrefix: "t",
    clusterSpecifier: { case: "cluster", value: "app" },
    ...init,
  });
  return listener("in", 0, {}, { filterChains: [{ name: chainName, filters: [...before, proxy] as never }] });
}

const limit = (max: bigint, statPrefix = "few") =>
  filter("limit", ConnectionLimitSchema, { statPrefix, maxConnections: max });

const echo = (): Promise<RawBackend> => RawBackend.start((socket) => socket.pipe(socket));

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function echoes(socket: Socket): Promise<boolean> {
  socket.write("ping");
  const answer = await Promise.race([once(socket, "data"), once(socket, "close")]);
  return Buffer.isBuffer(answer[0]) && answer[0].toString() === "ping";
}

test("connections that are too many are closed; one that ends makes room, and a change of the chain does not forget", async () => {
  await using backend = await echo();
  const world = { clusters: [staticCluster("app", [backend.port])], listeners: [tcpListener([limit(1n)])] };
  await using proxy = await TestProxy.start(world);
  const port = proxy.port("in");
  const stat = (name: string): number => proxy.stat(`listener.127.0.0.1_${port}.connection_limit.few.${name}`);
  const first = await open(port);
  assert.equal(await echoes(first), true);
  assert.equal(await echoes(await open(port)), false);
  assert.equal(stat("limited_connections"), 1);
  await proxy.apply({ listeners: [tcpListener([limit(1n)], { maxConnectAttempts: 3 })] });
  assert.equal(await echoes(await open(port)), false, "the first one still counts");
  assert.equal(stat("active_connections"), 1);
  first.destroy();
  while (stat("active_connections") > 0) await new Promise((resolve) => setImmediate(resolve));
  const next = await open(port);
  assert.equal(await echoes(next), true);
  next.destroy();
});

test("a connection is logged when it has ended, with its host, bytes and what went wrong", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-tcp-log-"));
  try {
    const path = join(folder, "log");
    const format = "%UPSTREAM_CLUSTER% %UPSTREAM_HOST% %BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS% %PROTOCOL%\n";
    const log = anyPack(
      FileAccessLogSchema,
      create(FileAccessLogSchema, { path, accessLogFormat: { case: "format", value: format } }),
    );
    const accessLog = [{ name: "file", configType: { case: "typedConfig" as const, value: log } }];
    await using backend = await echo();
    const dead = await freePort();
    const weights = { case: "weightedClusters" as const, value: { clusters: [{ name: "nobody", weight: 1 }] } };
    for (const [init, port] of [
      [{}, backend.port],
      [{ maxConnectAttempts: 2 }, dead],
      [{ clusterSpecifier: weights }, backend.port],
    ] as const) {
      await using proxy = await TestProxy.start({
        clusters: [staticCluster("app", [port])],
        listeners: [tcpListener([], { ...init, accessLog })],
      });
      const socket = await open(proxy.port("in"));
      await echoes(socket);
      socket.destroy();
      while (proxy.stat("tcp.t.downstream_cx_active") > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(readFileSync(path, "utf8").split("\n"), [
      `app 127.0.0.1:${backend.port} 4 4 - -`,
      `app 127.0.0.1:${dead} 0 0 UF,URX -`,
      "- - 0 0 NC -",
      "",
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a third party's network filter decides on connections; what is in no registry is refused", async () => {
  await using backend = await echo();
  const typeUrl = "type.googleapis.com/example.Refuse";
  registerNetworkFilter(typeUrl, () => ({
    onConnection(facts, callbacks) {
      callbacks.count(`refused.${facts.remoteAddress}`);
      callbacks.close();
      return false;
    },
  }));
  const own = {
    name: "own",
    configType: { case: "typedConfig" as const, value: { typeUrl, value: new Uint8Array() } },
  };
  const clusters = [staticCluster("app", [backend.port])];
  await using proxy = await TestProxy.start({ clusters, listeners: [tcpListener([own])] });
  const port = proxy.port("in");
  assert.equal(await echoes(await open(port)), false);
  assert.equal(proxy.stat(`listener.127.0.0.1_${port}.refused.127.0.0.1`), 1);
  const unknown = {
    name: "x",
    configType: { case: "typedConfig", value: { typeUrl: "type.googleapis.com/x.Y", value: new Uint8Array() } },
  };
  const [rejection] = await proxy.apply({ listeners: [tcpListener([unknown])] });
  assert.match(rejection?.reason ?? "", /filter_chains\[0\]\.filters: the last one is .*ConnectionLimit/);
});
