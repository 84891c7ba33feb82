import { isIP } from "node:net";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type TransportSocket, TransportSocketSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  SubjectAltNameMatcher_SanType,
  type SubjectAltNameMatcher,
  SubjectAltNameMatcherSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ClientTls } from "@fairlead/policy";
import { adsConfigSource } from "./ads-config-source.ts";

/** Where Debian keeps the machine's list. */
const machineCertificates = "/etc/ssl/certs/ca-certificates.crt";
/** The mesh's own certificate and roots, as secrets by SDS; Istio's names. */
const meshCertificate = "default";
const meshRoots = "ROOTCA";

export const file = (filename: string) => ({ specifier: { case: "filename" as const, value: filename } });

export const secret = (name: string) => ({ name, sdsConfig: adsConfigSource() });

function sanType(name: string): SubjectAltNameMatcher_SanType {
  if (name.includes("://")) return SubjectAltNameMatcher_SanType.URI;
  return isIP(name) === 0 ? SubjectAltNameMatcher_SanType.DNS : SubjectAltNameMatcher_SanType.IP_ADDRESS;
}

export function subjectAltNames(names: readonly string[]): SubjectAltNameMatcher[] {
  return names.map((name) =>
    create(SubjectAltNameMatcherSchema, {
      sanType: sanType(name),
      matcher: { matchPattern: { case: "exact", value: name } },
    }),
  );
}

/** How the other's certificate is checked. */
function validation(tls: ClientTls, names: readonly string[]) {
  const matchers = { matchTypedSubjectAltNames: subjectAltNames(names) };
  if (tls.mode === "ISTIO_MUTUAL" || tls.credentialName !== undefined) {
    const name = tls.mode === "ISTIO_MUTUAL" ? meshRoots : `${tls.credentialName}-cacert`;
    return {
      case: "combinedValidationContext" as const,
      value: { defaultValidationContext: matchers, validationContextSdsSecretConfig: secret(name) },
    };
  }
  if (tls.insecureSkipVerify) return { case: undefined };
  return {
    case: "validationContext" as const,
    value: { ...matchers, trustedCa: file(tls.caCertificates ?? machineCertificates) },
  };
}

function ownCertificate(tls: ClientTls) {
  if (tls.mode === "ISTIO_MUTUAL") return { tlsCertificateSdsSecretConfigs: [secret(meshCertificate)] };
  if (tls.mode !== "MUTUAL") return {};
  return tls.credentialName === undefined
    ? { tlsCertificates: [{ certificateChain: file(tls.clientCertificate!), privateKey: file(tls.privateKey!) }] }
    : { tlsCertificateSdsSecretConfigs: [secret(tls.credentialName)] };
}

/**
 * TLS towards a cluster.
 *
 * @param defaults.host the server name where the policy gives none; empty for what has none
 * @param defaults.subjectAltNames of the ServiceEntry
 * @returns undefined = plain
 */
export function upstreamTls(
  tls: ClientTls | undefined,
  http2: boolean,
  defaults: { readonly host: string; readonly subjectAltNames: readonly string[] },
): TransportSocket | undefined {
  if (tls === undefined || tls.mode === "DISABLE") return undefined;
  const sni = tls.sni ?? defaults.host;
  const named = tls.subjectAltNames.length > 0 ? tls.subjectAltNames : defaults.subjectAltNames;
  // A certificate of anyone would do otherwise. That of the mesh is checked by the roots, which sign nobody else's.
  const names = named.length > 0 || sni === "" || tls.mode === "ISTIO_MUTUAL" ? named : [sni];
  const context = create(UpstreamTlsContextSchema, {
    sni,
    commonTlsContext: create(CommonTlsContextSchema, {
      alpnProtocols: [http2 ? "h2" : "http/1.1"],
      ...ownCertificate(tls),
      validationContextType: validation(tls, names),
    }),
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(UpstreamTlsContextSchema, context) },
  });
}
