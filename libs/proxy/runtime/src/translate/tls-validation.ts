import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { compileString } from "@fairlead/proxy-router";
import type { PeerCheck, PemSource } from "@fairlead/proxy-upstream";
import { readString } from "./matchers.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readSource } from "./tls-certificate.ts";

const kinds: Partial<Record<SubjectAltNameMatcher_SanType, PeerCheck["names"][number]["kind"]>> = {
  [SubjectAltNameMatcher_SanType.DNS]: "DNS",
  [SubjectAltNameMatcher_SanType.URI]: "URI",
  [SubjectAltNameMatcher_SanType.IP_ADDRESS]: "IP Address",
  [SubjectAltNameMatcher_SanType.EMAIL]: "email",
};

/** What the peer must have to be let in. */
export interface Validation {
  /** Who may have signed its certificate; undefined: anyone. */
  readonly trusted: PemSource | undefined;
  readonly check: PeerCheck;
}

/**
 * @param partial another context is merged with this one
 * @throws FairleadError FL_XDS_REJECTED
 */
export function readValidation(
  message: CertificateValidationContext | undefined,
  where: string,
  partial = false,
): Validation {
  if (message === undefined) return { trusted: undefined, check: { names: [], hashes: [], spki: [] } };
  const trusted = message.trustedCa === undefined ? undefined : readSource(message.trustedCa, `${where}trusted_ca`);
  return { trusted, check: readCheck(message, where, partial) };
}

function readCheck(message: CertificateValidationContext, where: string, partial: boolean): PeerCheck {
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
  if (asks > 0 && message.trustedCa === undefined && !partial)
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
