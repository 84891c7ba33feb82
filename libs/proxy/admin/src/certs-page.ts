import type { CertificateReport } from "@fairlead/proxy-runtime";

type Details = CertificateReport["ca_cert"][number];

/**
 * In the shape of Envoy's `envoy.admin.v3.Certificates`.
 *
 * @param verbose also what Envoy's messages have no place for: whose certificates they are
 */
export function certsPage(reports: readonly CertificateReport[], verbose: boolean): object {
  const details = (all: readonly Details[]): object[] => all.map((one) => detailsJson(one, verbose));
  return {
    certificates: reports.map(({ user, ca_cert, cert_chain }) => ({
      ...(verbose ? { user } : {}),
      ca_cert: details(ca_cert),
      cert_chain: details(cert_chain),
    })),
  };
}

function detailsJson(
  { subject, subject_alt_names, days_until_expiration, ...others }: Details,
  verbose: boolean,
): object {
  return {
    ...others,
    ...(verbose ? { subject } : {}),
    subject_alt_names: subject_alt_names.filter((name) => verbose || !("email" in name)),
    // Of 64 bits and without a sign: one that has expired has no day left.
    days_until_expiration: String(Math.max(0, days_until_expiration)),
  };
}
