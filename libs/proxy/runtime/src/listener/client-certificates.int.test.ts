import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ListenerSchema } from "@fairlead/envoy-api/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManager_ForwardClientCertDetails as Forward } from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { DownstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { Backend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";

type Init = NonNullable<Parameters<typeof listener>[2]>;
const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });

test("hosts are told whose certificate a client has, and not what it claims", async () => {
  using certificates = new Certificates();
  const server = certificates.issue("server", "DNS:shop.example,URI:spiffe://mesh/shop");
  const client = certificates.issue("client", "DNS:a.example,DNS:b.example,URI:spiffe://mesh/caller");
  const context = create(DownstreamTlsContextSchema, {
    requireClientCertificate: true,
    commonTlsContext: {
      tlsCertificates: [{ certificateChain: file(server.chain), privateKey: file(server.key) }],
      validationContextType: { case: "validationContext", value: { trustedCa: file(certificates.authority) } },
    },
  });
  const transportSocket = {
    name: "tls",
    configType: { case: "typedConfig" as const, value: anyPack(DownstreamTlsContextSchema, context) },
  };
  await using backend = await Backend.start((incoming, response) => {
    incoming.resume();
    response.end(incoming.headers["x-forwarded-client-cert"] ?? "none");
  });
  const told = async (init: Init, claim?: string): Promise<string> => {
    const [chain] = fromBinary(ListenerSchema, listener("in", 0, init).body).filterChains;
    await using proxy = await TestProxy.start({
      clusters: [staticCluster("a", [backend.port])],
      listeners: [listener("in", 0, {}, { filterChains: [{ filters: chain?.filters ?? [], transportSocket }] })],
      routes: [routes("in", toCluster("*", "a"))],
    });
    return await ask(proxy.port("in"), claim);
  };
  const ask = (port: number, claim?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port,
          servername: "shop.example",
          agent: false,
          ca: readFileSync(certificates.authority),
          cert: readFileSync(client.chain),
          key: readFileSync(client.key),
          headers: { host: "a", ...(claim === undefined ? {} : { "x-forwarded-client-cert": claim }) },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve(text));
        },
      );
      outgoing.on("error", reject);
      outgoing.end();
    });
  const leaf = new X509Certificate(readFileSync(client.chain));
  const hash = createHash("sha256").update(leaf.raw).digest("hex");
  const short = `By=spiffe://mesh/shop;Hash=${hash}`;
  assert.equal(await told({}, "By=x"), "none");
  assert.equal(await told({ forwardClientCertDetails: Forward.FORWARD_ONLY }, "By=x"), "By=x");
  assert.equal(await told({ forwardClientCertDetails: Forward.SANITIZE_SET }, "By=x"), short);
  assert.equal(await told({ forwardClientCertDetails: Forward.APPEND_FORWARD }, "By=x"), `By=x,${short}`);
  const all = { subject: true, uri: true, dns: true };
  assert.equal(
    await told({ forwardClientCertDetails: Forward.SANITIZE_SET, setCurrentClientCertDetails: all }),
    `${short};Subject="CN=client";URI=spiffe://mesh/caller;DNS=a.example;DNS=b.example`,
  );
  const pem = await told({
    forwardClientCertDetails: Forward.SANITIZE_SET,
    setCurrentClientCertDetails: { cert: true },
  });
  const sent = decodeURIComponent(/;Cert="([^"]*)"/.exec(pem)?.[1] ?? "");
  assert.deepEqual(new X509Certificate(sent).raw, leaf.raw);
});
