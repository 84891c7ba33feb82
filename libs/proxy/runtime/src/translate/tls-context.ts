import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { SecureVersion } from "node:tls";
import type { DataSource, TransportSocket } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
  type TlsCertificate,
  TlsCertificateSchema,
  type TlsParameters,
  TlsParameters_TlsProtocol,
  TlsParametersSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContext,
  CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { compileString } from "@fairlead/proxy-router";
import { type PeerCheck, type PemSource, TlsFiles, type TlsMaterial, type UpstreamTls } from "@fairlead/proxy-upstream";
import type { DownstreamTls } from "../tls-termination.ts";
import { readString } from "./matchers.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readUpstreamTls(socket: TransportSocket | undefined): UpstreamTls | undefined {
  const any = configOf(socket, "transport_socket");
  if (any === undefined) return undefined;
  const where = "transport_socket.typed_config.";
  const message = anyUnpack(any, UpstreamTlsContextSchema);
  if (message === undefined)
    throw rejection("transport_socket", `${any.typeUrl} is not supported; UpstreamTlsContext is`);
  refuseOthers(UpstreamTlsContextSchema, message, where, ["common_tls_context", "sni", "max_session_keys"]);
  if (!/^[\x21-\x7e]*$/.test(message.sni)) throw rejection(`${where}sni`, "is not a name");
  const common = readCommon(message.commonTlsContext, `${where}common_tls_context.`);
  return { ...common, serverName: message.sni };
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readDownstreamTls(socket: TransportSocket | undefined, where: string): DownstreamTls | undefined {
  const any = configOf(socket, `${where}transport_socket`);
  if (any === undefined) return undefined;
  const field = `${where}transport_socket.typed_config.`;
  const message = anyUnpack(any, DownstreamTlsContextSchema);
  if (message === undefined)
    throw rejection(`${where}transport_socket`, `${any.typeUrl} is not supported; DownstreamTlsContext is`);
  refuseOthers(DownstreamTlsContextSchema, message, field, [
    "common_tls_context",
    "require_client_certificate",
    // Tickets are Node's; without them a client makes a full handshake.
    "disable_stateless_session_resumption",
    "disable_stateful_session_resumption",
    "session_timeout",
  ]);
  const common = readCommon(message.commonTlsContext, `${field}common_tls_context.`);
  if ((message.commonTlsContext?.tlsCertificates.length ?? 0) === 0)
    throw rejection(`${field}common_tls_context.tls_certificates`, "is empty");
  return { ...common, requireClientCertificate: message.requireClientCertificate ?? false };
}

/** @returns undefined for a plain connection */
function configOf(socket: TransportSocket | undefined, where: string): Any | undefined {
  if (socket === undefined) return undefined;
  if (socket.configType.case !== "typedConfig") {
    if (socket.name === "envoy.transport_sockets.raw_buffer") return undefined;
    throw rejection(`${where}.typed_config`, "is missing");
  }
  const any = socket.configType.value;
  return any.typeUrl.endsWith("/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer") ? undefined : any;
}

type Common = Omit<UpstreamTls, "serverName">;

function readCommon(message: CommonTlsContext | undefined, where: string): Common {
  if (message === undefined) throw rejection(where.slice(0, -1), "is missing");
  refuseOthers(CommonTlsContextSchema, message, where, [
    "tls_params",
    "tls_certificates",
    "validation_context",
    "alpn_protocols",
  ]);
  const validation =
    message.validationContextType.case === "validationContext" ? message.validationContextType.value : undefined;
  const material: TlsMaterial = {
    certificates: message.tlsCertificates.map((certificate, i) =>
      readCertificate(certificate, `${where}tls_certificates[${i}].`),
    ),
    trusted:
      validation?.trustedCa === undefined
        ? undefined
        : readSource(validation.trustedCa, `${where}validation_context.trusted_ca`),
    ...readParameters(message.tlsParams, `${where}tls_params.`),
  };
  const check = readCheck(validation, `${where}validation_context.`);
  return {
    files: openFiles(material, where),
    alpn: message.alpnProtocols,
    verify: material.trusted !== undefined,
    check,
  };
}

function openFiles(material: TlsMaterial, where: string): TlsFiles {
  try {
    return new TlsFiles(material);
  } catch (error) {
    throw rejection(where.slice(0, -1), `cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readCertificate(message: TlsCertificate, where: string): TlsMaterial["certificates"][number] {
  refuseOthers(TlsCertificateSchema, message, where, ["certificate_chain", "private_key", "watched_directory"]);
  return {
    chain: readSource(message.certificateChain, `${where}certificate_chain`),
    key: readSource(message.privateKey, `${where}private_key`),
  };
}

function readSource(source: DataSource | undefined, field: string): PemSource {
  switch (source?.specifier.case) {
    case "filename":
      return { file: source.specifier.value };
    case "inlineString":
      return { text: source.specifier.value };
    case "inlineBytes":
      return { text: Buffer.from(source.specifier.value).toString("latin1") };
    default:
      throw rejection(field, "has none of filename, inline_string, inline_bytes");
  }
}

const versions: Readonly<Record<TlsParameters_TlsProtocol, SecureVersion | undefined>> = {
  [TlsParameters_TlsProtocol.TLS_AUTO]: undefined,
  [TlsParameters_TlsProtocol.TLSv1_0]: "TLSv1",
  [TlsParameters_TlsProtocol.TLSv1_1]: "TLSv1.1",
  [TlsParameters_TlsProtocol.TLSv1_2]: "TLSv1.2",
  [TlsParameters_TlsProtocol.TLSv1_3]: "TLSv1.3",
};

function readParameters(
  message: TlsParameters | undefined,
  where: string,
): Pick<TlsMaterial, "minVersion" | "maxVersion" | "ciphers"> {
  if (message !== undefined) {
    refuseOthers(TlsParametersSchema, message, where, [
      "tls_minimum_protocol_version",
      "tls_maximum_protocol_version",
      "cipher_suites",
    ]);
  }
  const ciphers = message?.cipherSuites ?? [];
  for (const [i, name] of ciphers.entries())
    if (!/^[A-Z0-9_-]+$/.test(name)) throw rejection(`${where}cipher_suites[${i}]`, `${name} is not supported`);
  return {
    // Envoy's clients stop at 1.2 unless told otherwise; there is no reason to here.
    minVersion: versions[message?.tlsMinimumProtocolVersion ?? TlsParameters_TlsProtocol.TLS_AUTO] ?? "TLSv1.2",
    maxVersion: versions[message?.tlsMaximumProtocolVersion ?? TlsParameters_TlsProtocol.TLS_AUTO] ?? "TLSv1.3",
    // Those of TLS 1.3 are not for choosing, in Envoy neither; without them a list would switch 1.3 off.
    ciphers:
      ciphers.length === 0
        ? ""
        : ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", ...ciphers].join(":"),
  };
}

const kinds: Partial<Record<SubjectAltNameMatcher_SanType, PeerCheck["names"][number]["kind"]>> = {
  [SubjectAltNameMatcher_SanType.DNS]: "DNS",
  [SubjectAltNameMatcher_SanType.URI]: "URI",
  [SubjectAltNameMatcher_SanType.IP_ADDRESS]: "IP Address",
  [SubjectAltNameMatcher_SanType.EMAIL]: "email",
};

function readCheck(message: CertificateValidationContext | undefined, where: string): PeerCheck {
  if (message === undefined) return { names: [], hashes: [], spki: [] };
  refuseOthers(CertificateValidationContextSchema, message, where, [
    "trusted_ca",
    "match_typed_subject_alt_names",
    "verify_certificate_spki",
    "verify_certificate_hash",
    "watched_directory",
  ]);
  const asks =
    message.matchTypedSubjectAltNames.length +
    message.verifyCertificateHash.length +
    message.verifyCertificateSpki.length;
  if (asks > 0 && message.trustedCa === undefined)
    throw rejection(`${where}trusted_ca`, "is missing: without it the certificate is anyone's");
  return {
    names: message.matchTypedSubjectAltNames.map(({ sanType, matcher }, i) => {
      const field = `${where}match_typed_subject_alt_names[${i}]`;
      const kind = kinds[sanType];
      if (kind === undefined || matcher === undefined) throw rejection(field, "is not supported by this proxy");
      const pattern = readString(matcher, `${field}.matcher`);
      const matches = compileString(pattern, field);
      // RFC 6125: a certificate for *.example.org is one for a.example.org.
      const wild = kind === "DNS" && pattern.kind === "exact";
      return { kind, matches: wild ? (name: string) => matches(name) || fitsWildcard(name, pattern.value) : matches };
    }),
    hashes: message.verifyCertificateHash.map((hash) => hash.replaceAll(":", "").toLowerCase()),
    spki: message.verifyCertificateSpki,
  };
}

function fitsWildcard(certified: string, wanted: string): boolean {
  if (!certified.startsWith("*.")) return false;
  const dot = wanted.indexOf(".");
  return dot > 0 && wanted.slice(dot).toLowerCase() === certified.slice(1).toLowerCase();
}
