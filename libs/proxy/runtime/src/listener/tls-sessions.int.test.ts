import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { after, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { DownstreamTlsContextSchema } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { until } from "@fairlead/testing-basics";
import { Certificates } from "../testing/certificates.ts";
import { TestProxy } from "../testing/proxy.ts";
import { duration, filterChains, listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import type { XdsResource } from "../xds-resource.ts";

type ContextInit = Extract<MessageInitShape<typeof DownstreamTlsContextSchema>, { readonly $typeName?: undefined }>;

const certificates = new Certificates();
after(() => certificates[Symbol.dispose]());
const server = certificates.issue("server", "DNS:shop.example");
const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });

function secured(init: ContextInit, chain: Parameters<typeof filterChains>[1] = {}): XdsResource {
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: { tlsCertificates: [{ certificateChain: file(server.chain), privateKey: file(server.key) }] },
    ...init,
  });
  const value = anyPack(DownstreamTlsContextSchema, context);
  const transportSocket = { name: "tls", configType: { case: "typedConfig" as const, value } };
  return listener("in", 0, {}, { filterChains: filterChains("in", { transportSocket, ...chain }) });
}

async function proxyWith(secure: XdsResource): Promise<TestProxy> {
  return await TestProxy.start({
    clusters: [staticCluster("a", [])],
    listeners: [secure],
    routes: [routes("in", toCluster("*", "a"))],
  });
}

interface Handshake {
  readonly reused: boolean;
  /** For the next one; TLS 1.3 gives it after the handshake. */
  readonly session: Buffer | undefined;
}

/** One connection with a request on it, after which all that TLS has to say has been said. */
function shake(port: number, version: "TLSv1.2" | "TLSv1.3", session?: Buffer): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    let latest: Buffer | undefined;
    const socket: TLSSocket = connect(
      {
        host: "127.0.0.1",
        port,
        servername: "shop.example",
        ca: readFileSync(certificates.authority),
        minVersion: version,
        maxVersion: version,
        session,
      },
      () => socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    );
    socket.on("session", (given) => (latest = given));
    socket.on("error", reject);
    socket.resume();
    socket.on("close", () => resolve({ reused, session: latest }));
    let reused = false;
    socket.on("secureConnect", () => (reused = socket.isSessionReused()));
  });
}

/** Whether the second handshake of a client goes on where its first was. */
async function resumes(port: number, version: "TLSv1.2" | "TLSv1.3"): Promise<boolean> {
  const { session } = await shake(port, version);
  return (await shake(port, version, session)).reused;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a client resumes its session with ${version}, unless the listener gives out no tickets`, async () => {
    await using usual = await proxyWith(secured({}));
    assert.equal(await resumes(usual.port("in"), version), true);
    const none = { case: "disableStatelessSessionResumption", value: true } as const;
    await using full = await proxyWith(secured({ sessionTicketKeysType: none }));
    assert.equal(await resumes(full.port("in"), version), false);
    const allowed = { case: "disableStatelessSessionResumption", value: false } as const;
    await using ticketsOnly = await proxyWith(
      secured({ sessionTicketKeysType: allowed, disableStatefulSessionResumption: true }),
    );
    assert.equal(await resumes(ticketsOnly.port("in"), version), true);
  });
}

test("a session that is older than session_timeout is not resumed", async () => {
  await using proxy = await proxyWith(secured({ sessionTimeout: duration(1000) }));
  const { session } = await shake(proxy.port("in"), "TLSv1.2");
  let reused = true;
  const again = async (): Promise<void> => {
    while (reused) ({ reused } = await shake(proxy.port("in"), "TLSv1.2", session));
  };
  const trying = again();
  await until("the session is too old", () => !reused);
  await trying;
  await using refusing = new TestProxy();
  const rejections = await refusing.apply({ listeners: [secured({ sessionTimeout: duration(2 ** 31 * 1000) })] });
  assert.match(rejections[0]?.reason ?? "", /session_timeout: is not from 0 to 2147483647 s/);
});

test("transport_socket_connect_timeout bounds a client's handshake", async () => {
  await using proxy = await proxyWith(secured({}, { transportSocketConnectTimeout: duration(50) }));
  const port = proxy.port("in");
  const begun = performance.now();
  await new Promise((resolve, reject) => {
    connectTcp(port, "127.0.0.1").on("error", reject).on("close", resolve).resume();
  });
  assert(performance.now() - begun < 5000);
  assert.equal(proxy.stat(`listener.127.0.0.1_${port}.downstream_cx_transport_socket_connect_timeout`), 1);
});
