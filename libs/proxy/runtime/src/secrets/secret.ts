import type { CertificateValidationContext } from "@fairlead/envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { TlsMaterial } from "@fairlead/proxy-upstream";

/** A secret as it was accepted. Replaced as a whole: who has made something of it compares by identity. */
export type Secret =
  | { readonly kind: "certificate"; readonly certificate: TlsMaterial["certificates"][number] }
  | { readonly kind: "validation"; readonly message: CertificateValidationContext };

/** The secrets that there are now. */
export interface SecretLookup {
  get(name: string): Secret | undefined;
}

/** For who only wants to know whether a configuration can be read. */
export const noSecrets: SecretLookup = { get: () => undefined };
