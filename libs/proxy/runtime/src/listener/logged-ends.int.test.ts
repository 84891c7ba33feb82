import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_LbPolicy } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { DownstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { until } from "@fairlead/testing-basics";
import { LoggedLines } from "../testing/access-logs.ts";
import { Backend, RawBackend } from "../testing/backend.ts";
import { exchange } from "../testing/client.ts";
import { Certificates } from "../testing/certificates.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, duration, endpoints, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

const certificates = new Certificates();
after(() => certificates[Symbol.dispose]());

type TcpInit = Extract<MessageInitShape<typeof TcpProxySchema>, { readonly $typeName?: undefined }>;

function tcpListener(init: TcpInit): XdsResource {
  const value = anyPack(
    TcpProxySchema,
    create(TcpProxySchema, { statPrefix: "t", clusterSpecifier: { case: "cluster", value: "a" }, ...init }),
  );
  const filters = [{ name: "tcp", configType: { case: "typedConfig" as const, value } }];
  return listener("in", 0, {}, { filterChains: [{ filters }] });
}

test("the log of a connection that is passed on says what it is, and why the proxy has ended it", async () => {
  await using backend = await RawBackend.start((socket) => socket.resume());
  const format = "%ACCESS_LOG_TYPE% %RESPONSE_FLAGS% %CONNECTION_TERMINATION_DETAILS%";
  for (const [init, expected, stat] of [
    [
      { maxDownstreamConnectionDuration: duration(40) },
      "TcpConnectionEnd DT max_connection_duration_reached",
      "tcp.t.max_downstream_connection_duration",
    ],
    [{ idleTimeout: duration(40) }, "TcpConnectionEnd - tcp_session_idle_timeout", "tcp.t.idle_timeout"],
  ] as const) {
    await using lines = await LoggedLines.start();
    const proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [tcpListener({ ...init, accessLog: [lines.text(format)] })],
    });
    const began = performance.now();
    const socket = connect(proxy.port("in"), "127.0.0.1").resume();
    await once(socket, "close");
    assert(performance.now() - began >= 39);
    assert.equal(proxy.stat(stat), 1);
    await proxy.runtime.close();
    assert.deepEqual(await lines.read(), [expected]);
  }
});

test("connections of one client go to one host where a tcp_proxy hashes, else to all", async () => {
  const seen = new Map<number, number>();
  const count = (index: number) =>
    RawBackend.start((socket) => {
      seen.set(index, (seen.get(index) ?? 0) + 1);
      socket.end();
    });
  await using a = await count(0);
  await using b = await count(1);
  await using c = await count(2);
  const ports = [a.port, b.port, c.port];
  const ring = cluster("a", { lbPolicy: Cluster_LbPolicy.RING_HASH });
  const hashing = { hashPolicy: [{ policySpecifier: { case: "sourceIp" as const, value: {} } }] };
  for (const [init, hosts] of [
    [hashing, 1],
    [{}, 3],
  ] as const) {
    seen.clear();
    await using proxy = await TestProxy.start({
      clusters: [ring],
      endpoints: [endpoints("a", ports)],
      listeners: [tcpListener(init)],
    });
    for (let i = 0; i < 40; i++) await once(connect(proxy.port("in"), "127.0.0.1").resume(), "close");
    assert.equal(seen.size, hosts);
    assert.equal(
      [...seen.values()].reduce((sum, times) => sum + times),
      40,
    );
  }
});

test("the log of a request says how its client's connection ended", async () => {
  await using backend = await Backend.start((request) => request.resume());
  await using lines = await LoggedLines.start();
  const format = "%ACCESS_LOG_TYPE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%";
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, { accessLog: [lines.text(format)] })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const gone = connect(proxy.port("in"), "127.0.0.1").end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(gone.resume(), "close");
  await exchange(proxy.port("in"), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n");
  await exchange(proxy.port("in"), "GET / HTTP/9.9\r\n\r\n");
  await proxy.runtime.close();
  const written = await lines.read();
  assert.equal(written[0], "DownstreamEnd DC downstream_remote_disconnect the client closed the connection");
  assert.match(written[1] ?? "", /^DownstreamEnd DPE http1\.codec_error .*chunk/);
  assert.match(written[2] ?? "", /^DownstreamEnd DPE http1\.codec_error [^-]/);
});

test("the log of a request says what TLS said when it failed under it", async () => {
  await using backend = await Backend.start((request) => request.resume());
  await using lines = await LoggedLines.start();
  const pair = certificates.issue("server", "DNS:shop.example");
  const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: { tlsCertificates: [{ certificateChain: file(pair.chain), privateKey: file(pair.key) }] },
  });
  const transportSocket = {
    name: "tls",
    configType: { case: "typedConfig" as const, value: anyPack(DownstreamTlsContextSchema, context) },
  };
  const format = "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TRANSPORT_FAILURE_REASON%";
  const logged = fromBinary(ListenerSchema, listener("in", 0, { accessLog: [lines.text(format)] }).body).filterChains;
  const proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, {}, { filterChains: logged.map(({ filters }) => ({ filters, transportSocket })) })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  for (const breaks of [true, false]) {
    const socket = connect(proxy.port("in"), "127.0.0.1");
    const secure = connectTls({ socket, servername: "shop.example", ca: readFileSync(certificates.authority) });
    secure.on("error", () => undefined);
    await once(secure, "secureConnect");
    const asked = backend.requests;
    secure.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until("the request at the host", () => backend.requests > asked);
    // A record that nobody has encrypted.
    if (breaks) socket.write(Buffer.from([23, 3, 3, 0, 32, ...Array.from({ length: 32 }, (_byte, i) => i)]));
    else socket.destroy();
    await until("the end", () => proxy.stat("http.in.downstream_rq_active") === 0);
  }
  const failures = [...proxy.runtime.stats()].find(([name]) => name.endsWith(".ssl.connection_error"));
  await proxy.runtime.close();
  assert.equal(failures?.[1], 1);
  const [broken = "", left] = await lines.read();
  assert.match(broken, /^TLSv1\.3 .*bad_record_mac/);
  assert.equal(left, "TLSv1.3 -");
});
