import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, createSecureServer, type ServerHttp2Stream } from "node:http2";
import { request } from "node:https";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { Backend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { call, to } from "../testing/client.ts";
import { http2Cluster } from "../testing/http2-cluster.ts";
import { TestProxy } from "../testing/proxy.ts";
import { filterChains, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });

test("ALPN decides at a TLS listener, for clients of both versions", async () => {
  using certificates = new Certificates();
  const { chain, key } = certificates.issue("shop", "DNS:shop.example");
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      tlsCertificates: [{ certificateChain: file(chain), privateKey: file(key) }],
      alpnProtocols: ["h2", "http/1.1"],
    },
  });
  const value = anyPack(DownstreamTlsContextSchema, context);
  await using backend = await Backend.named("served");
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [
      listener(
        "in",
        0,
        {},
        {
          filterChains: filterChains("in", {
            transportSocket: { name: "tls", configType: { case: "typedConfig", value } },
          }),
        },
      ),
    ],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const port = proxy.port("in");
  const ca = readFileSync(certificates.authority);
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: "shop.example" });
  const body = await new Promise<string>((resolve, reject) => {
    let text = "";
    const stream = session.request({ ":path": "/" });
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    stream.on("end", () => resolve(text));
    stream.on("error", reject);
    session.on("error", reject);
  });
  session.destroy();
  assert.equal(body, "served");
  const version = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ port, host: "127.0.0.1", servername: "shop.example", ca, agent: false }, (response) => {
      response.resume();
      resolve(response.httpVersion);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
  assert.equal(version, "1.1");
  assert.equal(proxy.stat("http.in.downstream_cx_http2_total"), 1);
  assert.equal(proxy.stat("http.in.downstream_cx_http1_total"), 1);
});

test("HTTP/2 over TLS towards a host", async () => {
  using certificates = new Certificates();
  const { chain, key } = certificates.issue("shop", "DNS:shop.example");
  const server = createSecureServer({ cert: readFileSync(chain), key: readFileSync(key), allowHTTP1: false });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200 });
    stream.end("over TLS");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  assert(address !== null && typeof address === "object");
  const context = create(UpstreamTlsContextSchema, {
    sni: "shop.example",
    commonTlsContext: {
      alpnProtocols: ["h2"],
      validationContextType: { case: "validationContext", value: { trustedCa: file(certificates.authority) } },
    },
  });
  const value = anyPack(UpstreamTlsContextSchema, context);
  await using proxy = await TestProxy.start({
    clusters: [
      http2Cluster("a", [address.port], {
        transportSocket: { name: "tls", configType: { case: "typedConfig", value } },
      }),
    ],
    listeners: [listener("in", 0)],
    routes: [routes("in", toCluster("a", "a"))],
  });
  const answers = await Promise.all(Array.from({ length: 10 }, () => call(proxy.port("in"), to("a"))));
  assert(answers.every(({ body }) => body === "over TLS"));
  assert.equal(proxy.stat("cluster.a.upstream_cx_total"), 1);
  await proxy.runtime.close();
  await new Promise((resolve) => server.close(resolve));
});
