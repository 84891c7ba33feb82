import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { typeUrls } from "@fairlead/envoy-api";
import { DiscoveryRequestSchema } from "@fairlead/envoy-api/envoy/service/discovery/v3/discovery_pb.js";
import { until } from "@fairlead/testing-basics";
import { XdsTestClient } from "@fairlead/testing-xds";
import { status } from "@grpc/grpc-js";
import type { AdsGatewayConfig } from "./config.ts";
import { clusterForTest, GatewayUnderTest } from "./gateway-under-test.ts";

const { cluster } = typeUrls;

async function serving(t: TestContext, config: Partial<AdsGatewayConfig>): Promise<GatewayUnderTest> {
  const mesh = await GatewayUnderTest.serving([clusterForTest("a")], { config });
  t.after(() => mesh.stop());
  return mesh;
}

/** A proxy that is served. */
async function proxy(mesh: GatewayUnderTest, nodeId: string): Promise<XdsTestClient> {
  const client = mesh.closeOnStop(new XdsTestClient({ address: mesh.address, nodeId }));
  client.subscribe(cluster);
  await client.nextAcked(cluster);
  return client;
}

/** A TCP connection that says nothing. */
async function silent(t: TestContext, mesh: GatewayUnderTest): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connectTcp(mesh.gateway.grpcPort, "127.0.0.1");
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return { socket, closed: once(socket.resume(), "close") };
}

test("connections without a stream are few: the oldest are cut, and proxies get in", async (t) => {
  const mesh = await serving(t, { maxIdleConnections: 3 });
  const first = await proxy(mesh, "first");
  const silents = [];
  for (let index = 0; index < 5; index++) silents.push(await silent(t, mesh));
  await Promise.all([silents[0]!.closed, silents[1]!.closed]);
  await proxy(mesh, "second");
  await first.barrier();
  assert.deepEqual(new Set((await mesh.connections()).map((one) => one.node)), new Set(["first", "second"]));
});

test("a connection without a stream is closed after the idle time, also one that does not go by itself", async (t) => {
  const mesh = await serving(t, { connectionIdleTimeout: 50, drainTimeout: 50 });
  const { closed } = await silent(t, mesh);
  const session = connectHttp2(`http://${mesh.address}`);
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  const goaway = once(session, "goaway");
  const client = await proxy(mesh, "n1");
  const [[code]] = await Promise.all([goaway, closed, once(session, "close")]);
  assert.equal(code, 0, "NO_ERROR");
  await client.barrier();
});

test("a connection that is old is sent away in order; its proxy comes back on another one", async (t) => {
  const mesh = await serving(t, { maxConnectionAge: 300, drainTimeout: 200 });
  const client = await proxy(mesh, "n1");
  const [before] = await mesh.connections();
  const ended = await client.ended;
  assert.equal(ended.code, status.UNAVAILABLE);
  assert.match(ended.details, /FL_CONNECTION_OLD/);
  await proxy(mesh, "n1");
  const after = await until("another connection", async () =>
    (await mesh.connections()).find((one) => one.peer !== before?.peer),
  );
  assert.equal(after.node, "n1");
});

test("of streams that begin at once some are refused, with the time to come again", async (t) => {
  const mesh = await serving(t, { newStreamRate: 2, newStreamWait: 0 });
  const clients = Array.from({ length: 4 }, (_, index) =>
    mesh.closeOnStop(new XdsTestClient({ address: mesh.address, nodeId: `n${index}` })),
  );
  for (const client of clients) client.subscribe(cluster);
  const outcomes = await Promise.all(
    clients.map((client) => Promise.race([client.ended, client.nextAcked(cluster).catch(() => client.ended)])),
  );
  const refused = outcomes.flatMap((outcome) => ("metadata" in outcome ? [outcome] : []));
  assert.ok(refused.length >= 1 && refused.length <= 2, `${refused.length} were refused`);
  for (const { code, details, metadata } of refused) {
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(details, /FL_GATEWAY_BUSY/);
    assert.match(String(metadata.get("grpc-retry-pushback-ms")[0]), /^\d+$/);
  }
});

test("a stream on which no request comes is ended", async (t) => {
  const mesh = await serving(t, { firstRequestTimeout: 50 });
  const mute = mesh.closeOnStop(new XdsTestClient({ address: mesh.address }));
  const ended = await mute.ended;
  assert.equal(ended.code, status.DEADLINE_EXCEEDED);
  assert.match(ended.details, /FL_XDS_NO_REQUEST/);
  assert.deepEqual(await mesh.connections(), []);
});

test("a peer that does not answer pings is cut, whatever it has subscribed to", async (t) => {
  const mesh = await serving(t, { keepaliveTime: 50, keepaliveTimeout: 50 });
  const { socket, closed } = await silent(t, mesh);
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await closed;
});

test("a stream that does not read takes its connection along; the others on it are told, and come back", async (t) => {
  const mesh = await GatewayUnderTest.serving([clusterForTest("large", "1", 1024 * 1024)], {
    config: { sendTimeout: 100 },
  });
  t.after(() => mesh.stop());
  const session = connectHttp2(`http://${mesh.address}`, { settings: { initialWindowSize: 65_535 } });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  const open = (nodeId: string) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => undefined);
    const request = toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { node: { id: nodeId }, typeUrl: nodeId === "stuck" ? cluster : typeUrls.route }),
    );
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(request.byteLength, 1);
    stream.write(Buffer.concat([prefix, request]));
    return stream;
  };
  open("stuck").pause();
  const other = open("other").resume();
  // It was sent nothing yet, so that its trailers are all of its response.
  const [trailers] = (await once(other, "response")) as [Record<string, string>];
  assert.equal(trailers["grpc-status"], String(status.UNAVAILABLE));
  assert.match(decodeURIComponent(trailers["grpc-message"] ?? ""), /FL_PROXY_NOT_READING/);
  await until("the session is destroyed", () => session.destroyed);
});

test("a client is told how many streams its connection may have", async (t) => {
  const mesh = await serving(t, { maxStreamsPerConnection: 2 });
  const session = connectHttp2(`http://${mesh.address}`);
  t.after(() => session.destroy());
  const [settings] = (await once(session, "remoteSettings")) as [{ maxConcurrentStreams: number }];
  assert.equal(settings.maxConcurrentStreams, 2);
});

test("a stop sends connections away one after the other, serves the others meanwhile, and ends in time", async (t) => {
  const mesh = await serving(t, { drainSpread: 150, drainTimeout: 500 });
  const endedAt: number[] = [];
  for (let index = 0; index < 10; index++) {
    const client = await proxy(mesh, `n${index}`);
    void client.ended.then(({ code }) => {
      assert.equal(code, status.UNAVAILABLE);
      endedAt.push(performance.now());
    });
  }
  const from = performance.now();
  await mesh.gateway.stop();
  assert.ok(performance.now() - from < 700);
  await until("all have ended", () => endedAt.length === 10);
  const spreadMs = Math.max(...endedAt) - Math.min(...endedAt);
  assert.ok(spreadMs > 80, `all ended within ${spreadMs} ms`);
});
