import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  SubjectAltNameMatcher_SanType as SanType,
  type CertificateValidationContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { until } from "@fairlead/testing-basics";
import { Backend } from "../testing/backend.ts";
import { Certificates } from "../testing/certificates.ts";
import { call, exchange } from "../testing/client.ts";
import { TestProxy } from "../testing/proxy.ts";
import { listener, routes, staticCluster, toCluster } from "../testing/resources.ts";
import { secureCluster, secureListener } from "../testing/secrets.ts";
import type { XdsResource } from "../xds-resource.ts";

type Validation = Extract<
  MessageInitShape<typeof CertificateValidationContextSchema>,
  { readonly $typeName?: undefined }
>;
type Files = ReturnType<Certificates["issue"]>;

const certificates = new Certificates();
const strangers = new Certificates();
after(() => {
  certificates[Symbol.dispose]();
  strangers[Symbol.dispose]();
});
const server = certificates.issue("server", "URI:spiffe://mesh/server");
const client = certificates.issue("client", "URI:spiffe://mesh/client");
const other = certificates.issue("other", "URI:spiffe://mesh/other");
const stranger = strangers.issue("stranger", "URI:spiffe://mesh/client");

const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });

function trusting(authority: string, uri?: string): { case: "validationContext"; value: Validation } {
  const sans =
    uri === undefined
      ? []
      : [{ sanType: SanType.URI, matcher: { matchPattern: { case: "exact" as const, value: uri } } }];
  return { case: "validationContext", value: { trustedCa: file(authority), matchTypedSubjectAltNames: sans } };
}

const ownCertificate = ({ chain, key }: Files) => [{ certificateChain: file(chain), privateKey: file(key) }];

function listenerForClients(): XdsResource {
  const tlsCertificates = ownCertificate(server);
  const validationContextType = trusting(certificates.authority, "spiffe://mesh/client");
  return secureListener("in", { tlsCertificates, validationContextType }, true);
}

function clusterOf(name: string, port: number, own?: Files, trusted = trusting(certificates.authority)): XdsResource {
  const tlsCertificates = own === undefined ? [] : ownCertificate(own);
  return secureCluster(name, port, { tlsCertificates, validationContextType: trusted });
}

const counted = (proxy: TestProxy, prefix: string): Record<string, number | undefined> =>
  Object.fromEntries(
    ["handshake", "connection_error", "fail_verify_no_cert", "fail_verify_error", "fail_verify_san"].flatMap((name) => {
      const value = proxy.stat(`${prefix}.ssl.${name}`);
      return value === 0 ? [] : [[name, value]];
    }),
  );

test("handshakes and what fails in them are counted by Envoy's names, at both ends", async () => {
  await using backend = await Backend.named("served");
  await using inner = await TestProxy.start({
    clusters: [staticCluster("a", [backend.port])],
    listeners: [listenerForClients()],
    routes: [routes("in", toCluster("*", "a"))],
  });
  const port = inner.port("in");
  const hosts: Readonly<Record<string, XdsResource>> = {
    good: clusterOf("good", port, client),
    nameless: clusterOf("nameless", port),
    other: clusterOf("other", port, other),
    stranger: clusterOf("stranger", port, stranger),
    suspicious: clusterOf("suspicious", port, client, trusting(strangers.authority)),
    picky: clusterOf("picky", port, client, trusting(certificates.authority, "spiffe://mesh/another")),
    plain: clusterOf("plain", backend.port, client),
  };
  await using outer = await TestProxy.start({
    clusters: Object.values(hosts),
    listeners: [listener("out", 0)],
    routes: [routes("out", ...Object.keys(hosts).map((name) => toCluster(name, name)))],
  });
  const statuses: Record<string, number> = {};
  for (const host of Object.keys(hosts)) statuses[host] = (await call(outer.port("out"), { headers: { host } })).status;
  assert.deepEqual(statuses, {
    good: 200,
    nameless: 503,
    other: 503,
    stranger: 503,
    suspicious: 503,
    picky: 503,
    plain: 503,
  });
  await exchange(port, "GET / HTTP/1.1\r\n\r\n");

  const of = (name: string) => counted(outer, `cluster.${name}`);
  assert.deepEqual(of("good"), { handshake: 1 });
  assert.deepEqual(of("suspicious"), { fail_verify_error: 1 });
  assert.deepEqual(of("picky"), { fail_verify_san: 1 });
  assert.deepEqual(of("plain"), { connection_error: 1 });
  assert.equal(outer.stat("cluster.good.ssl.versions.TLSv1.3"), 1);
  assert.equal(outer.stat("cluster.good.ssl.ciphers.TLS_AES_256_GCM_SHA384"), 1);
  assert.equal(inner.runtime.stats().has("cluster.a.ssl.handshake"), false);

  const address = `listener.127.0.0.1_${port}`;
  await until("what is not TLS", () => inner.stat(`${address}.ssl.connection_error`) === 1);
  const { handshake, ...problems } = counted(inner, address);
  assert.deepEqual(problems, { connection_error: 1, fail_verify_no_cert: 1, fail_verify_error: 1, fail_verify_san: 1 });
  // Those of "suspicious" and "picky" may have been good ones for the server before the client went.
  assert(handshake !== undefined && handshake >= 1);
  assert.equal(inner.stat(`${address}.ssl.versions.TLSv1.3`), handshake);
  assert.equal(inner.stat(`${address}.ssl.no_certificate`), 0);
});
