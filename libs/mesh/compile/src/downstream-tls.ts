import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type TransportSocket, TransportSocketSchema } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { TlsParameters_TlsProtocol } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  CommonTlsContextSchema,
  DownstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ServerTls } from "@fairlead/policy";
import { file, secret, subjectAltNames } from "./upstream-tls.ts";

const versions: Readonly<Record<NonNullable<ServerTls["minProtocolVersion"]>, TlsParameters_TlsProtocol>> = {
  TLS_AUTO: TlsParameters_TlsProtocol.TLS_AUTO,
  TLSV1_0: TlsParameters_TlsProtocol.TLSv1_0,
  TLSV1_1: TlsParameters_TlsProtocol.TLSv1_1,
  TLSV1_2: TlsParameters_TlsProtocol.TLSv1_2,
  TLSV1_3: TlsParameters_TlsProtocol.TLSv1_3,
};

function parameters({ minProtocolVersion, maxProtocolVersion, cipherSuites }: ServerTls) {
  return {
    // Envoy's default for servers; said, because that of others is older.
    tlsMinimumProtocolVersion: versions[minProtocolVersion ?? "TLSV1_2"],
    ...(maxProtocolVersion === undefined ? {} : { tlsMaximumProtocolVersion: versions[maxProtocolVersion] }),
    cipherSuites: [...cipherSuites],
  };
}

/** How callers' certificates are checked; none where nobody asks for one. */
function validation(tls: ServerTls) {
  if (tls.mode !== "MUTUAL" && tls.mode !== "OPTIONAL_MUTUAL") return {};
  const value = {
    matchTypedSubjectAltNames: subjectAltNames(tls.subjectAltNames),
    verifyCertificateSpki: [...tls.verifyCertificateSpki],
    verifyCertificateHash: [...tls.verifyCertificateHash],
  };
  if (tls.credentialName !== undefined) {
    return {
      validationContextType: {
        case: "combinedValidationContext" as const,
        value: {
          defaultValidationContext: value,
          validationContextSdsSecretConfig: secret(`${tls.credentialName}-cacert`),
        },
      },
    };
  }
  const trustedCa = tls.caCertificates === undefined ? {} : { trustedCa: file(tls.caCertificates) };
  return { validationContextType: { case: "validationContext" as const, value: { ...value, ...trustedCa } } };
}

/** @param http callers may speak HTTP/2 as well as HTTP/1.1; else bytes are passed on */
export function downstreamTls(tls: ServerTls, http: boolean): TransportSocket {
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: create(CommonTlsContextSchema, {
      tlsParams: parameters(tls),
      alpnProtocols: http ? ["h2", "http/1.1"] : [],
      ...(tls.credentialName === undefined
        ? { tlsCertificates: [{ certificateChain: file(tls.serverCertificate!), privateKey: file(tls.privateKey!) }] }
        : { tlsCertificateSdsSecretConfigs: [secret(tls.credentialName)] }),
      ...validation(tls),
    }),
    requireClientCertificate: tls.mode === "MUTUAL",
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(DownstreamTlsContextSchema, context) },
  });
}
