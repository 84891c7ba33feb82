import { constants, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion } from "node:tls";
import type { PemCertificates, TlsCertificates } from "./tls-source.ts";

/** A PEM: in a file, which may be replaced while the proxy runs, or as text. */
export type PemSource = { readonly file: string } | { readonly text: string };

export interface TlsMaterial {
  readonly certificates: readonly { readonly chain: PemSource; readonly key: PemSource }[];
  /** Who may have signed the peer's certificate; undefined = nobody is asked. */
  readonly trusted: PemSource | undefined;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** In OpenSSL's words; "" for Node's. */
  readonly ciphers: string;
  /** Of a server. @default tickets, for OpenSSL's time */
  readonly sessions?: TlsSessions | undefined;
}

/** How a client of ours may go on where it was, without another full handshake. */
export interface TlsSessions {
  /** False: never. */
  readonly tickets: boolean;
  /** A session that is older is begun anew. @default OpenSSL's: two hours */
  readonly timeoutSeconds?: number;
}

/** Files are looked at again after so long: a new certificate is used for new connections. */
const RECHECK_MS = 5000;

/** Certificates and keys for connections, read anew when their files change; a broken new file leaves the old one in use. */
export class TlsFiles {
  readonly #material: TlsMaterial;
  readonly #now: () => number;
  #context: SecureContext;
  #stamp: string;
  #checkedMs: number;

  /** @throws when a file cannot be read, or a key does not fit */
  constructor(material: TlsMaterial, now: () => number = () => performance.now()) {
    this.#material = material;
    this.#now = now;
    this.#stamp = this.#stampOf();
    this.#context = this.#create();
    this.#checkedMs = now();
  }

  context(): SecureContext {
    const now = this.#now();
    if (now - this.#checkedMs < RECHECK_MS) return this.#context;
    this.#checkedMs = now;
    try {
      const stamp = this.#stampOf();
      if (stamp !== this.#stamp) {
        this.#context = this.#create();
        this.#stamp = stamp;
      }
    } catch {
      // Half written, or gone: looked at again later.
    }
    return this.#context;
  }

  /** As they are now; what cannot be read is left out. */
  certificates(): TlsCertificates {
    const { certificates, trusted } = this.#material;
    return {
      chains: certificates.map(({ chain }) => parseCertificates(chain)),
      trusted: trusted === undefined ? undefined : parseCertificates(trusted),
    };
  }

  #create(): SecureContext {
    const { certificates, trusted, minVersion, maxVersion, ciphers, sessions } = this.#material;
    const options: SecureContextOptions = {
      cert: certificates.map(({ chain }) => read(chain)),
      key: certificates.map(({ key }) => read(key)),
      minVersion,
      maxVersion,
      // Without one OpenSSL does not let clients with certificates resume a session. A session is of this context in any case.
      sessionIdContext: "fairlead",
      ...(trusted === undefined ? {} : { ca: read(trusted) }),
      ...(ciphers === "" ? {} : { ciphers }),
      // With TLS 1.3 OpenSSL then gives out mere numbers of sessions, and Node keeps none of these.
      ...(sessions?.tickets === false ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
      ...(sessions?.timeoutSeconds === undefined ? {} : { sessionTimeout: sessions.timeoutSeconds }),
    };
    return createSecureContext(options);
  }

  #stampOf(): string {
    const { certificates, trusted } = this.#material;
    const sources = [
      ...certificates.flatMap(({ chain, key }) => [chain, key]),
      ...(trusted === undefined ? [] : [trusted]),
    ];
    return sources
      .map((source) => ("file" in source ? `${source.file}:${statSync(source.file).mtimeMs}` : ""))
      .join("\n");
  }
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function parseCertificates(source: PemSource): PemCertificates {
  const file = "file" in source ? source.file : undefined;
  try {
    return {
      file,
      certificates: [...read(source).toString().matchAll(pem)].map(([text]) => new X509Certificate(text)),
    };
  } catch {
    return { file, certificates: [] };
  }
}

function read(source: PemSource): Buffer | string {
  return "file" in source ? readFileSync(source.file) : source.text;
}
