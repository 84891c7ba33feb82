import type { X509Certificate } from "node:crypto";
import type { PemCertificates, TlsSource } from "@fairlead/proxy-upstream";

const DAY_MS = 86_400_000;

/** Who uses certificates, and where it has them from. */
export interface CertificateUse {
  /** `cluster <name>` or `listener <name>`. */
  readonly user: string;
  readonly source: TlsSource;
}

/** One certificate, in the words of Envoy's `CertificateDetails`, and its subject. */
export interface CertificateDetails {
  /** Of its file; `<inline>` where there is none, as in Envoy. */
  readonly path: string;
  readonly serial_number: string;
  readonly subject: string;
  readonly subject_alt_names: readonly Readonly<Record<string, string>>[];
  /** Whole days; negative when it has expired. */
  readonly days_until_expiration: number;
  readonly valid_from: string;
  readonly expiration_time: string;
}

export interface CertificateReport {
  readonly user: string;
  readonly ca_cert: readonly CertificateDetails[];
  readonly cert_chain: readonly CertificateDetails[];
}

/** What of certificates may be seen by operators: when they end, and whose they are. */
export function reportCertificates(uses: Iterable<CertificateUse>, nowMs: number): CertificateReport[] {
  return [...uses].map(({ user, source }) => {
    const { chains, trusted } = source.certificates();
    return {
      user,
      ca_cert: trusted === undefined ? [] : detailsIn(trusted, nowMs),
      cert_chain: chains.flatMap((chain) => detailsIn(chain, nowMs)),
    };
  });
}

const LOOK_AGAIN_MS = 60_000;

/** When the first certificate ends: looked at again only from time to time, as files are read for it. */
export class FirstExpiry {
  readonly #reports: () => readonly CertificateReport[];
  #lookAtMs = 0;
  #days: number | undefined;

  constructor(reports: () => readonly CertificateReport[]) {
    this.#reports = reports;
  }

  /** @returns undefined when there is no certificate */
  days(nowMs: number = Date.now()): number | undefined {
    if (nowMs >= this.#lookAtMs) {
      this.#days = daysUntilFirstExpires(this.#reports());
      this.#lookAtMs = nowMs + (this.#days === undefined ? 0 : LOOK_AGAIN_MS);
    }
    return this.#days;
  }
}

function daysUntilFirstExpires(reports: readonly CertificateReport[]): number | undefined {
  const days = reports.flatMap(({ ca_cert, cert_chain }) =>
    [...ca_cert, ...cert_chain].map((certificate) => certificate.days_until_expiration),
  );
  return days.length === 0 ? undefined : days.reduce((least, value) => Math.min(least, value));
}

const kinds: Readonly<Record<string, string>> = { DNS: "dns", URI: "uri", "IP Address": "ip_address", email: "email" };

function detailsIn({ file = "<inline>", certificates }: PemCertificates, nowMs: number): CertificateDetails[] {
  return certificates.map((certificate) => detailsOf(file, certificate, nowMs));
}

function detailsOf(path: string, certificate: X509Certificate, nowMs: number): CertificateDetails {
  const endsMs = Date.parse(certificate.validTo);
  return {
    path,
    serial_number: certificate.serialNumber.toLowerCase(),
    subject: certificate.subject.replaceAll("\n", ","),
    subject_alt_names: (certificate.subjectAltName ?? "").split(", ").flatMap((name) => {
      const colon = name.indexOf(":");
      const kind = kinds[name.slice(0, colon)];
      return kind === undefined ? [] : [{ [kind]: name.slice(colon + 1) }];
    }),
    days_until_expiration: Math.floor((endsMs - nowMs) / DAY_MS),
    valid_from: new Date(certificate.validFrom).toISOString(),
    expiration_time: new Date(endsMs).toISOString(),
  };
}
