import {
  type Secret as SecretMessage,
  SecretSchema,
} from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { TlsFiles } from "@fairlead/proxy-upstream";
import type { Secret } from "../secrets/secret.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readCertificate } from "./tls-certificate.ts";
import { readValidation } from "./tls-validation.ts";

/** A reason never says anything of the secret itself: it is sent back, and logged. @throws FairleadError FL_XDS_REJECTED */
export function readSecret(message: SecretMessage): Secret {
  refuseOthers(SecretSchema, message, "", ["name", "tls_certificate", "validation_context"]);
  const { type } = message;
  if (type.case === "tlsCertificate") {
    const certificate = readCertificate(type.value, "tls_certificate.");
    tryOut("tls_certificate", () => {
      const files = new TlsFiles({ ...plain, certificates: [certificate], trusted: undefined });
      if (files.certificates().chains[0]?.certificates.length === 0) throw new Error("has no certificate");
    });
    return { kind: "certificate", certificate };
  }
  if (type.case === "validationContext") {
    // A part of a combined context may be without an authority: the other part has it.
    const { trusted } = readValidation(type.value, "validation_context.", true);
    if (trusted !== undefined)
      tryOut("validation_context.trusted_ca", () => {
        const files = new TlsFiles({ ...plain, certificates: [], trusted });
        if (files.certificates().trusted?.certificates.length === 0) throw new Error("has no certificate");
      });
    return { kind: "validation", message: type.value };
  }
  throw rejection("type", "is missing; tls_certificate and validation_context are supported");
}

const plain = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3", ciphers: "" } as const;

function tryOut(field: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw rejection(field, `cannot be used: ${harmless(error)}`);
  }
}

/** OpenSSL's and the system's errors name what is wrong, not what was read; others are not passed on. */
function harmless(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code?.startsWith("ERR_OSSL_") === true && error instanceof Error) return error.message.slice(0, 200);
  if (code !== undefined) return code;
  return error instanceof Error && error.message === "has no certificate" ? error.message : "not in PEM";
}
