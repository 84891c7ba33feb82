import type { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { PeerCheck } from "./peer-check.ts";

/** What a handshake goes by. */
export interface TlsTerms {
  readonly context: SecureContext;
  /** Whether the peer's certificate, where it has one, must have been signed by someone trusted. */
  readonly verify: boolean;
  readonly check: PeerCheck;
}

/** What is in one PEM. */
export interface PemCertificates {
  /** undefined: it is no file */
  readonly file: string | undefined;
  readonly certificates: readonly X509Certificate[];
}

/** The certificates of one end of TLS, for operators: no key is among them. */
export interface TlsCertificates {
  /** Each with who signed it behind it. */
  readonly chains: readonly PemCertificates[];
  /** undefined: nobody is asked */
  readonly trusted: PemCertificates | undefined;
}

/** Where one end of TLS has its certificates from. Each new connection asks; those that are open go on as they began. */
export interface TlsSource {
  /** undefined while something that it needs has never come. */
  current(): TlsTerms | undefined;
  certificates(): TlsCertificates;
}

/** What a connection fails with that has no certificates to begin with; Envoy's words. */
export const SECRET_MISSING = "TLS_error: Secret is not supplied by SDS";
