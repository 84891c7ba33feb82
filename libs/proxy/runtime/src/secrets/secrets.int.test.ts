import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { after, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { typeUrls } from "@fairlead/envoy-api";
import { SubjectAltNameMatcher_SanType } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { until } from "@fairlead/testing-basics";
import { resourceJson } from "../config-dump/resource-json.ts";
import { Backend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { call } from "../testing/client.ts";
import { ProxyInThreads } from "../testing/proxy-in-threads.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import {
  authoritySecret,
  certificateSecret,
  type CommonTls,
  overAds,
  secureCluster,
  secureListener,
} from "../testing/secrets.ts";

const certificates = new Certificates();
const first = certificates.issue("first", "DNS:app.example,URI:spiffe://mesh/app");
const second = certificates.issue("second", "DNS:app.example,URI:spiffe://mesh/app");
const stranger = certificates.issue("stranger", "DNS:other.example,URI:spiffe://mesh/other");
after(() => certificates[Symbol.dispose]());

const ofServer: CommonTls = { tlsCertificateSdsSecretConfigs: [overAds("server")] };

async function connected(port: number, more: object = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", servername: "app.example", rejectUnauthorized: false, ...more });
  await once(socket, "secureConnect");
  return socket;
}

const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);

test("a listener waits for its certificate; a new one is for new connections, and the old ones go on", async () => {
  await using backend = await Backend.named("app");
  await using proxy = await TestProxy.start({
    clusters: [staticCluster("app", [backend.port])],
    listeners: [secureListener("in", ofServer)],
    routes: [routes("in", toCluster("*", "app"))],
  });
  assert.deepEqual(proxy.runtime.wantedNames(typeUrls.secret), ["server"]);
  assert.equal(proxy.runtime.listeners()[0]?.state, "warming");
  assert.deepEqual(await proxy.apply({ secrets: [certificateSecret("server", first)] }), []);
  const port = proxy.port("in");
  const before = await connected(port);
  assert.equal(nameOf(before), "first");
  assert.deepEqual(await proxy.apply({ secrets: [certificateSecret("server", second)] }), []);
  const next = await connected(port);
  assert.equal(nameOf(next), "second");
  for (const socket of [before, next]) {
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
    socket.destroy();
  }
});

test("with several threads each of them serves with the newest certificate", async () => {
  await using backend = await Backend.named("app");
  await using proxy = await ProxyInThreads.start({
    clusters: [staticCluster("app", [backend.port])],
    listeners: [secureListener("in", ofServer)],
    routes: [routes("in", toCluster("*", "app"))],
  });
  assert.deepEqual(proxy.dataPlane.wantedNames(typeUrls.secret), ["server"]);
  for (const [name, files] of [
    ["first", first],
    ["second", second],
  ] as const) {
    assert.deepEqual(await proxy.dataPlane.apply(typeUrls.secret, [certificateSecret("server", files)]), []);
    await until("the listener accepts in all threads", () => proxy.dataPlane.listeners()[0]?.state === "active");
    for (let i = 0; i < 8; i++) {
      const socket = await connected(proxy.port("in"));
      assert.equal(nameOf(socket), name);
      socket.destroy();
    }
  }
  const failing = certificateSecret("server", { chain: first.chain, key: second.key });
  assert.equal((await proxy.dataPlane.apply(typeUrls.secret, [failing])).length, 1, "one refusal, not one a thread");
});

test("/certs and the dump tell of certificates, and of no key", async () => {
  await using proxy = await TestProxy.start({ listeners: [secureListener("in", ofServer)], routes: [routes("in")] });
  assert.equal(proxy.runtime.stats().has("server.days_until_first_cert_expiring"), false);
  await proxy.apply({ secrets: [certificateSecret("server", first)] });
  const [report] = proxy.runtime.certificates();
  assert.equal(report?.user, "listener in");
  assert.equal(report.cert_chain[0]?.days_until_expiration, 1);
  assert.deepEqual(report.cert_chain[0].subject_alt_names, [{ dns: "app.example" }, { uri: "spiffe://mesh/app" }]);
  assert.equal(proxy.stat("server.days_until_first_cert_expiring"), 1);
  const secrets = proxy.runtime.configDump().find(({ typeUrl }) => typeUrl === typeUrls.secret)!;
  assert.deepEqual([secrets.resources.map(({ name }) => name), secrets.missing], [["server"], []]);
  const dump = JSON.stringify(resourceJson(typeUrls.secret, secrets.resources[0]!.body));
  assert.match(dump, /"certificate_chain":\{"inline_string":"-----BEGIN CERTIFICATE/);
  assert.match(dump, /"private_key":\{"inline_string":"\[redacted\]"\}/);
  assert.doesNotMatch(dump, /PRIVATE KEY/);
});

test("a key that does not fit, and what is no PEM, are refused without a word of the secret; the old one stays", async () => {
  await using proxy = await TestProxy.start({ listeners: [secureListener("in", ofServer)], routes: [routes("in")] });
  await proxy.apply({ secrets: [certificateSecret("server", first)] });
  const [mismatch] = await proxy.apply({
    secrets: [certificateSecret("server", { chain: first.chain, key: second.key })],
  });
  assert.match(mismatch?.reason ?? "", /^tls_certificate: cannot be used: .*key values mismatch/);
  const [noPem] = await proxy.apply({
    secrets: [certificateSecret("server", { chain: first.chain, key: import.meta.filename })],
  });
  assert.match(noPem?.reason ?? "", /^tls_certificate: cannot be used: /);
  assert.doesNotMatch(JSON.stringify([mismatch, noPem]), /BEGIN|node:assert/);
  const socket = await connected(proxy.port("in"));
  assert.equal(nameOf(socket), "first");
  socket.destroy();
});

test("clients must be of the authority that comes over SDS, and have a name of the combined context", async () => {
  const matcher = { matchPattern: { case: "exact" as const, value: "spiffe://mesh/app" } };
  const names = [{ sanType: SubjectAltNameMatcher_SanType.URI, matcher }];
  const common: CommonTls = {
    ...ofServer,
    validationContextType: {
      case: "combinedValidationContext",
      value: {
        defaultValidationContext: { matchTypedSubjectAltNames: names },
        validationContextSdsSecretConfig: overAds("authority"),
      },
    },
  };
  await using proxy = await TestProxy.start({
    listeners: [secureListener("in", common, true)],
    routes: [routes("in")],
  });
  assert.deepEqual(proxy.runtime.wantedNames(typeUrls.secret), ["authority", "server"]);
  await proxy.apply({ secrets: [certificateSecret("server", first)] });
  assert.equal(proxy.runtime.listeners()[0]?.state, "warming", "one of two is not enough");
  await proxy.apply({ secrets: [authoritySecret("authority", certificates.authority)] });
  const port = proxy.port("in");
  const statusFor = async (files: { chain: string; key: string } | undefined): Promise<string> => {
    const own = files === undefined ? {} : { cert: readFileSync(files.chain), key: readFileSync(files.key) };
    const socket = await connected(port, own);
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    const answer = await Promise.race([once(socket, "data"), once(socket, "close")]);
    socket.destroy();
    return Buffer.isBuffer(answer[0]) ? answer[0].toString("latin1", 9, 12) : "closed";
  };
  assert.equal(await statusFor(second), "404");
  assert.equal(await statusFor(stranger), "closed");
  assert.equal(await statusFor(undefined), "closed");
});

test("a cluster waits for its secrets, shows its certificate to the host and verifies the host's", async () => {
  await using backend = await Backend.named("app");
  await using inner = await TestProxy.start({
    clusters: [staticCluster("app", [backend.port])],
    listeners: [
      secureListener(
        "in",
        {
          ...ofServer,
          validationContextType: { case: "validationContextSdsSecretConfig", value: overAds("authority") },
        },
        true,
      ),
    ],
    routes: [routes("in", toCluster("*", "app"))],
    secrets: [],
  });
  const authority = authoritySecret("authority", certificates.authority);
  await inner.apply({ secrets: [certificateSecret("server", first), authority] });
  const common: CommonTls = {
    tlsCertificateSdsSecretConfigs: [overAds("client")],
    validationContextType: { case: "validationContextSdsSecretConfig", value: overAds("authority") },
  };
  await using outer = new TestProxy();
  await outer.apply({
    clusters: [secureCluster("app", inner.port("in"), common, "app.example")],
    listeners: [listener("out", 0)],
    routes: [routes("out", toCluster("*", "app"))],
  });
  assert.equal(outer.runtime.clustersInitialized(), false);
  assert.deepEqual(outer.runtime.wantedNames(typeUrls.secret), ["authority", "client"]);
  await outer.apply({ secrets: [certificateSecret("client", second), authority] });
  assert.equal(outer.runtime.clustersInitialized(), true);
  // One connection after the other: sessions are resumed, and the client's certificate counts all the same.
  for (let i = 0; i < 5; i++) assert.equal((await call(outer.port("out"))).body, "app");
  assert.match(JSON.stringify(outer.runtime.configDump()), /"state":"active"/);
});

test("secrets that never come are given up on: then a connection that needs one fails, and says why", async () => {
  const common: CommonTls = { tlsCertificateSdsSecretConfigs: [overAds("client")] };
  await using outer = new TestProxy();
  await outer.apply({
    clusters: [secureCluster("app", 1, common, "app.example")],
    listeners: [listener("out", 0), secureListener("in", ofServer)],
    routes: [routes("out", toCluster("*", "app")), routes("in")],
  });
  assert.deepEqual(outer.runtime.missingSecrets(), ["client", "server"]);
  outer.runtime.giveUpOn(typeUrls.secret);
  assert.deepEqual(outer.runtime.missingSecrets(), ["client", "server"], "given up on is not there");
  assert.equal(outer.runtime.clustersInitialized(), true);
  const answer = await call(outer.port("out"));
  assert.equal(answer.status, 503);
  assert.match(answer.body, /Secret is not supplied by SDS/);
  await new Promise((resolve) => {
    const forget = outer.runtime.onListenersChanged(() => {
      if (outer.runtime.listeners().every(({ state }) => state === "active")) resolve(forget());
    });
    if (outer.runtime.listeners().every(({ state }) => state === "active")) resolve(forget());
  });
  await assert.rejects(connected(outer.port("in")));
  const missing = [...outer.runtime.stats()].filter(([name]) => name.endsWith("downstream_context_secrets_not_ready"));
  assert.equal(
    missing.reduce((sum, [, value]) => sum + value, 0),
    1,
  );
  assert.deepEqual(await outer.apply({ secrets: [certificateSecret("server", first)] }), []);
  const socket = await connected(outer.port("in"));
  assert.equal(nameOf(socket), "first");
  socket.destroy();
});

test("only ads is a source of secrets, and what is no certificate is refused", async () => {
  await using proxy = new TestProxy();
  const elsewhere = { ...overAds("server"), sdsConfig: undefined };
  const [rejection] = await proxy.apply({
    listeners: [secureListener("in", { tlsCertificateSdsSecretConfigs: [elsewhere] })],
  });
  assert.match(rejection?.reason ?? "", /tls_certificate_sds_secret_configs\[0\]\.sds_config: is missing/);
  const [empty] = await proxy.apply({ secrets: [{ name: "x", body: Buffer.from([0x0a, 1, 0x78]) }] });
  assert.match(empty?.reason ?? "", /^type: is missing; tls_certificate and validation_context are supported/);
});
