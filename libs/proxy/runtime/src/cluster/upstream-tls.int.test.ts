import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { createSecureServer as createHttp2Server } from "node:http2";
import type { Server } from "node:net";
import type { TLSSocket } from "node:tls";
import { after, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { Backend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { assignmentInit, cluster, listener, routes, toCluster } from "../testing/resources.ts";

const certificates = new Certificates();
const own = certificates.issue("app", "DNS:app.example,DNS:*.wild.example");
after(() => certificates[Symbol.dispose]());

type Common = Extract<MessageInitShape<typeof CommonTlsContextSchema>, { readonly $typeName?: undefined }>;
type ClusterInit = NonNullable<Parameters<typeof cluster>[1]>;

const trusting: Common = {
  validationContextType: {
    case: "validationContext",
    value: { trustedCa: { specifier: { case: "filename", value: certificates.authority } } },
  },
};

/** A server of Node's own, whose requests are told with the TLS connection that they came over. */
class SecureBackend implements AsyncDisposable {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(answer: (socket: TLSSocket, version: string) => string, http2 = false): Promise<SecureBackend> {
    const tls: ServerOptions = { cert: readFileSync(own.chain), key: readFileSync(own.key) };
    const server = http2
      ? createHttp2Server({ ...tls, allowHTTP1: true }, (request, response) => {
          const { socket } = request.stream?.session ?? request;
          response.end(answer(socket as TLSSocket, request.httpVersion));
        })
      : createSecureServer(tls, (request, response) =>
          response.end(answer(request.socket as TLSSocket, request.httpVersion)),
        );
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return new SecureBackend(server as Server, typeof address === "object" && address !== null ? address.port : 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      if ("closeAllConnections" in this.#server) (this.#server.closeAllConnections as () => void)();
    });
  }
}

function tlsSocket(common: Common, sni = ""): NonNullable<ClusterInit["transportSocket"]> {
  const context = create(UpstreamTlsContextSchema, { commonTlsContext: common, sni });
  const value = anyPack(UpstreamTlsContextSchema, context);
  return { name: "tls", configType: { case: "typedConfig", value } };
}

function clusterTo(ports: readonly number[], init: ClusterInit): ReturnType<typeof cluster> {
  return cluster("app", {
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    edsClusterConfig: undefined,
    loadAssignment: assignmentInit("app", ports),
    ...init,
  });
}

const httpOptions = (init: MessageInitShape<typeof HttpProtocolOptionsSchema>): ClusterInit => ({
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(
      HttpProtocolOptionsSchema,
      create(HttpProtocolOptionsSchema, init),
    ),
  },
});

async function proxyTo(ports: readonly number[], init: ClusterInit): Promise<TestProxy> {
  return TestProxy.start({
    clusters: [clusterTo(ports, init)],
    listeners: [listener("out", 0)],
    routes: [routes("out", toCluster("*", "app"))],
  });
}

const bodyFor = async (proxy: TestProxy, host: string): Promise<string> =>
  (await call(proxy.port("out"), { headers: { host } })).body;

test("hosts are connected to as their metadata says: some over TLS, others plain", async () => {
  await using plain = await Backend.named("plain");
  await using secure = await SecureBackend.start(() => "secure");
  const init = assignmentInit("app", [plain.port, secure.port]);
  for (const { lbEndpoints } of init.endpoints ?? [])
    for (const [i, endpoint] of (lbEndpoints ?? []).entries())
      if (i === 1)
        endpoint.metadata = { filterMetadata: { "envoy.transport_socket_match": { tlsMode: "istio" } } } as never;
  await using proxy = await proxyTo([], {
    loadAssignment: init,
    transportSocketMatches: [
      { name: "tls", match: { tlsMode: "istio" }, transportSocket: tlsSocket(trusting, "app.example") },
      { name: "plain", match: {}, transportSocket: { name: "envoy.transport_sockets.raw_buffer" } },
    ] as never,
  });
  const bodies = new Set<string>();
  for (let i = 0; i < 4; i++) bodies.add(await bodyFor(proxy, "a"));
  assert.deepEqual([...bodies].toSorted(), ["plain", "secure"]);
});

test("what a request calls the host is what TLS tells it, each name on connections of its own", async () => {
  await using backend = await SecureBackend.start((socket) => `${String(socket.servername)} ${socket.remotePort}`);
  await using proxy = await proxyTo([backend.port], {
    ...httpOptions({ upstreamHttpProtocolOptions: { autoSni: true } }),
    transportSocket: tlsSocket(trusting, "fallback.example"),
  });
  const [first, second, again, address] = [
    await bodyFor(proxy, "One.example:8080"),
    await bodyFor(proxy, "two.example"),
    await bodyFor(proxy, "one.example"),
    await bodyFor(proxy, "127.0.0.1"),
  ];
  assert.match(first, /^one\.example /);
  assert.match(second, /^two\.example /);
  assert.equal(again, first);
  assert.match(address, /^fallback\.example /);
});

test("with auto_san_validation the certificate must be for that name", async () => {
  await using backend = await SecureBackend.start((socket) => String(socket.servername));
  await using proxy = await proxyTo([backend.port], {
    ...httpOptions({ upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: true } }),
    transportSocket: tlsSocket(trusting),
  });
  assert.equal(await bodyFor(proxy, "app.example"), "app.example");
  assert.equal(await bodyFor(proxy, "a.wild.example"), "a.wild.example");
  assert.match(await bodyFor(proxy, "other.example"), /certificate verify failed/);
});

test("auto_config speaks HTTP/2 to hosts that agree to it in TLS, and HTTP/1.1 to others", async () => {
  const auto = httpOptions({ upstreamProtocolOptions: { case: "autoConfig", value: {} } });
  const transportSocket = tlsSocket(trusting, "app.example");
  await using modern = await SecureBackend.start((_socket, version) => version, true);
  await using old = await SecureBackend.start((_socket, version) => version);
  await using toModern = await proxyTo([modern.port], { ...auto, transportSocket });
  await using toOld = await proxyTo([old.port], { ...auto, transportSocket });
  assert.deepEqual(await Promise.all(["a", "b", "c"].map((host) => bodyFor(toModern, host))), ["2.0", "2.0", "2.0"]);
  assert.deepEqual(await Promise.all(["a", "b", "c"].map((host) => bodyFor(toOld, host))), ["1.1", "1.1", "1.1"]);
  await using refused = new TestProxy();
  const [rejection] = await refused.apply({ clusters: [clusterTo([old.port], auto)] });
  assert.match(rejection?.reason ?? "", /transport_socket: is missing: with auto_config/);
});

test("a host that is not who it should be gives no session that would let it in later", async () => {
  await using backend = await SecureBackend.start((socket) => String(socket.isSessionReused()));
  await using proxy = await proxyTo([backend.port], {
    ...httpOptions({ upstreamHttpProtocolOptions: { autoSanValidation: true } }),
    transportSocket: tlsSocket(trusting, "other.example"),
  });
  for (let i = 0; i < 5; i++) assert.match(await bodyFor(proxy, "a"), /certificate verify failed/);
});

test("a host's session makes the next handshake short, and is verified all the same", async () => {
  await using backend = await SecureBackend.start((socket) => String(socket.isSessionReused()));
  const init: ClusterInit = {
    ...httpOptions({ upstreamHttpProtocolOptions: { autoSanValidation: true } }),
    transportSocket: tlsSocket(trusting, "app.example"),
    maxRequestsPerConnection: 1,
  };
  await using proxy = await proxyTo([backend.port], init);
  assert.equal(await bodyFor(proxy, "a"), "false");
  let reused = "false";
  for (let i = 0; i < 20 && reused === "false"; i++) reused = await bodyFor(proxy, "a");
  assert.equal(reused, "true");
});
