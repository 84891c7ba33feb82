import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { connect, createServer } from "node:tls";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { FilterChainSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_components_pb.js";
import { TcpProxySchema } from "@fairlead/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { SubjectAltNameMatcher_SanType as SanType } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { fromBinary } from "@bufbuild/protobuf";
import { until } from "@fairlead/testing-basics";
import { Backend, RawBackend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { call } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { cluster, endpoints, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

type Chain = Extract<MessageInitShape<typeof FilterChainSchema>, { readonly $typeName?: undefined }>;

function tcp(clusterName: string): Chain {
  const value = anyPack(
    TcpProxySchema,
    create(TcpProxySchema, { statPrefix: "t", clusterSpecifier: { case: "cluster", value: clusterName } }),
  );
  return { filters: [{ name: "tcp", configType: { case: "typedConfig", value } }] };
}

/** The chain that `listener` makes: HTTP with routes over RDS. */
function http(name: string): Chain {
  const [chain] = fromBinary(ListenerSchema, listener(name, 0).body).filterChains;
  return { filters: chain?.filters ?? [] };
}

function tls(files: { readonly chain: string; readonly key: string }, authority?: string): Chain {
  const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsCertificates: [{ certificateChain: file(files.chain), privateKey: file(files.key) }],
      alpnProtocols: ["h2", "http/1.1"],
      ...(authority === undefined
        ? {}
        : { validationContextType: { case: "validationContext", value: { trustedCa: file(authority) } } }),
    },
    requireClientCertificate: authority !== undefined,
  });
  return {
    transportSocket: {
      name: "tls",
      configType: { case: "typedConfig", value: anyPack(DownstreamTlsContextSchema, context) },
    },
  };
}

/** Bytes to a port and all that comes back until the end. */
function send(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end(text));
    socket.on("data", (chunk: Buffer) => (got += chunk.toString()));
    socket.on("end", () => resolve(got));
    socket.on("error", reject);
  });
}

test("bytes are passed on both ways, also after one side has ended; counters tell", async () => {
  await using echo = await RawBackend.start((socket) => {
    let got = "";
    socket.allowHalfOpen = true;
    socket.on("data", (chunk) => (got += chunk.toString()));
    socket.on("end", () => socket.end(`got ${got}`));
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [echo.port])],
    listeners: [
      listener("in", 0, {}, { filterChains: [tcp("a")] }),
      listener("no", 0, {}, { filterChains: [tcp("none")] }),
    ],
  });
  assert.equal(await send(proxy.port("in"), "hello"), "got hello");
  const large = "x".repeat(5_000_000);
  assert.equal(await send(proxy.port("in"), large), `got ${large}`);
  assert.equal(proxy.stat("tcp.t.downstream_cx_total"), 2);
  await until("the end", () => proxy.stat("tcp.t.downstream_cx_active") === 0);
  assert.equal(proxy.stat("cluster.a.upstream_cx_active"), 0);
  assert.equal(await send(proxy.port("no"), "x").catch(() => ""), "");
  assert.equal(proxy.stat("tcp.t.downstream_cx_no_route"), 1);
});

test("a client that reads late gets all that its host has sent, also when the host has closed", async () => {
  let onClosed = (): unknown => undefined;
  let size = 0;
  await using backend = await RawBackend.start((socket) => {
    socket.allowHalfOpen = true;
    socket.resume();
    socket.on("end", () => socket.end(Buffer.alloc(size, "x")));
    socket.on("close", () => onClosed());
  });
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, {}, { filterChains: [tcp("a")] })],
  });
  // What the system and the proxy take before the client reads is not known: of some sizes the host closes, and the proxy has the rest.
  let waited = 0;
  for (size = 1_000_000; size <= 9_000_000; size += 400_000) {
    const host = { closed: false };
    onClosed = () => (host.closed = true);
    const socket = connectTcp({ port: proxy.port("in"), host: "127.0.0.1", allowHalfOpen: true }, () =>
      socket.end("go"),
    );
    socket.pause();
    for (let turns = 0; turns < 300 && !host.closed; turns++) await new Promise((resolve) => setImmediate(resolve));
    if (host.closed && proxy.stat("tcp.t.downstream_cx_active") > 0) waited++;
    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.resume();
    await new Promise((resolve, reject) => socket.on("end", resolve).on("error", reject));
    assert.equal(received, size);
    await until("the end", () => proxy.stat("tcp.t.downstream_cx_active") === 0);
  }
  assert(waited > 0, "of no size did the proxy have the rest");
});

test("server name, TLS or not and port choose the chain; what none takes is closed", async () => {
  using certificates = new Certificates();
  const shop = certificates.issue("shop", "DNS:shop.example");
  const other = certificates.issue("other", "DNS:*.other.example");
  await using plain = await Backend.named("plain");
  await using secret = await Backend.start((incoming, response) => {
    incoming.resume();
    response.end(`secret ${String(incoming.headers["x-forwarded-proto"])}`);
  });
  await using passed = await TlsBackend.start(certificates.issue("passed", "DNS:passed.example"));
  const match = (filterChainMatch: Chain["filterChainMatch"]): Chain => ({ filterChainMatch });
  await using proxy = await TestProxy.start({
    clusters: [
      staticCluster("plain", [plain.port]),
      staticCluster("secret", [secret.port]),
      staticCluster("passed", [passed.port]),
    ],
    listeners: [
      listener(
        "in",
        0,
        {},
        {
          filterChains: [
            { ...http("secret"), ...tls(shop), ...match({ serverNames: ["shop.example"] }) },
            { ...http("secret"), ...tls(other), ...match({ serverNames: ["*.other.example"] }) },
            { ...tcp("passed"), ...match({ serverNames: ["passed.example"] }) },
            { ...http("plain"), ...match({ transportProtocol: "raw_buffer" }) },
            { ...tcp("none"), ...match({ transportProtocol: "raw_buffer", destinationPort: 1 }) },
          ],
        },
      ),
    ],
    routes: [routes("secret", toCluster("*", "secret")), routes("plain", toCluster("*", "plain"))],
  });
  const port = proxy.port("in");
  const over = (servername: string): Promise<string> => get(port, servername, certificates.authority);
  assert.equal(await over("shop.example"), "secret https");
  assert.equal(await over("a.other.example"), "secret https");
  assert.equal(await over("passed.example"), "passed");
  assert.equal((await call(port)).body, "plain");
  await assert.rejects(over("nobody.example"));
  await until("the count", () =>
    [...proxy.runtime.stats()].some(([name, value]) => name.endsWith(".no_filter_chain_match") && value === 1),
  );
});

test("a client without a certificate that somebody trusted has signed is not served where one is required", async () => {
  using certificates = new Certificates();
  using strangers = new Certificates();
  const server = certificates.issue("shop", "DNS:shop.example");
  await using backend = await Backend.named("a");
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listener("in", 0, {}, { filterChains: [{ ...http("in"), ...tls(server, certificates.authority) }] })],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const as = (files?: { readonly chain: string; readonly key: string }): Promise<string> =>
    get(proxy.port("in"), "shop.example", certificates.authority, files);
  assert.equal(await as(certificates.issue("client", "URI:spiffe://mesh/client")), "a");
  await assert.rejects(as());
  await assert.rejects(as(strangers.issue("client", "URI:spiffe://mesh/client")));
  assert.equal(backend.requests, 1);
});

test("TLS towards hosts: the name is sent, and the certificate must be of somebody trusted and for the right name", async () => {
  using certificates = new Certificates();
  using strangers = new Certificates();
  await using backend = await TlsBackend.start(certificates.issue("shop", "DNS:shop.example,URI:spiffe://mesh/shop"));
  const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });
  const to = (authority: string, sanType: SanType, value: string) => {
    const context = create(UpstreamTlsContextSchema, {
      sni: "shop.example",
      commonTlsContext: {
        validationContextType: {
          case: "validationContext",
          value: {
            trustedCa: file(authority),
            matchTypedSubjectAltNames: [{ sanType, matcher: { matchPattern: { case: "exact", value } } }],
          },
        },
      },
    });
    return cluster("a", {
      transportSocket: {
        name: "tls",
        configType: { case: "typedConfig", value: anyPack(UpstreamTlsContextSchema, context) },
      },
    });
  };
  for (const [authority, kind, name, status] of [
    [certificates, SanType.DNS, "shop.example", 200],
    [certificates, SanType.URI, "spiffe://mesh/shop", 200],
    [certificates, SanType.DNS, "evil.example", 503],
    [strangers, SanType.DNS, "shop.example", 503],
  ] as const) {
    await using proxy = await TestProxy.start({
      clusters: [to(authority.authority, kind, name)],
      endpoints: [endpoints("a", [backend.port])],
      listeners: [listener("in", 0)],
      routes: [routes("in", toCluster("*", "a"))],
    });
    const answer = await call(proxy.port("in"));
    assert.equal(answer.status, status, answer.body);
  }
  assert.deepEqual(new Set(backend.names), new Set(["shop.example"]));
});

/** A GET over TLS. Rejects when there is none. */
function get(
  port: number,
  servername: string,
  authority: string,
  files?: { readonly chain: string; readonly key: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const own = files === undefined ? {} : { cert: readFileSync(files.chain), key: readFileSync(files.key) };
    const outgoing = request(
      {
        port,
        host: "127.0.0.1",
        servername,
        ca: readFileSync(authority),
        agent: false,
        ...own,
        headers: { host: servername },
      },
      (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => resolve(body));
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** Speaks TLS and answers each request with the same. */
class TlsBackend implements AsyncDisposable {
  readonly names: (string | false | null | undefined)[] = [];
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(files: { readonly chain: string; readonly key: string }): Promise<TlsBackend> {
    const server = createServer({ cert: readFileSync(files.chain), key: readFileSync(files.key) });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not bound");
    const backend = new TlsBackend(server, address.port);
    server.on("secureConnection", (socket) => {
      backend.names.push(socket.servername);
      socket.on("error", () => socket.destroy());
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npassed"));
    });
    return backend;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

test("a client that says nothing, or nothing that TLS allows, is not waited for", async () => {
  using certificates = new Certificates();
  const files = certificates.issue("a", "DNS:a.example");
  await using proxy = await TestProxy.start({
    listeners: [
      listener(
        "in",
        0,
        {},
        {
          filterChains: [{ ...tcp("none"), ...tls(files), filterChainMatch: { serverNames: ["a.example"] } }],
          listenerFiltersTimeout: { $typeName: "google.protobuf.Duration", seconds: 0n, nanos: 50_000_000 },
        },
      ),
    ],
  });
  const closed = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = connectTcp({ port: proxy.port("in"), host: "127.0.0.1" }, () =>
        socket.write(Buffer.from(text, "latin1")),
      );
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
    });
  await closed("");
  await closed("\x16\x03\x01\x00\x05\x02aaaa");
  await closed("\x16\x03\x01\x00");
  const socket = connect({ port: proxy.port("in"), host: "127.0.0.1", servername: "b.example" });
  await new Promise<void>((resolve) => {
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
  });
});
