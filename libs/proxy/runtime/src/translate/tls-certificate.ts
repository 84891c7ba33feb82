import type { SecureVersion } from "node:tls";
import type { DataSource } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type TlsCertificate,
  TlsCertificateSchema,
  type TlsParameters,
  TlsParameters_TlsProtocol,
  TlsParametersSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { PemSource, TlsMaterial } from "@fairlead/proxy-upstream";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readCertificate(message: TlsCertificate, where: string): TlsMaterial["certificates"][number] {
  refuseOthers(TlsCertificateSchema, message, where, ["certificate_chain", "private_key", "watched_directory"]);
  return {
    chain: readSource(message.certificateChain, `${where}certificate_chain`),
    key: readSource(message.privateKey, `${where}private_key`),
  };
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readSource(source: DataSource | undefined, field: string): PemSource {
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

/** @throws FairleadError FL_XDS_REJECTED */
export function readParameters(
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
