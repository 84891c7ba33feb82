import { createHash, X509Certificate } from "node:crypto";
import type { TlsInfo } from "@fairlead/proxy-stream";
import type { RequestRule } from "./rule.ts";

/** What of a client's certificate is told to hosts, besides whose it is for (By) and its hash. */
export interface CertificateDetails {
  readonly cert: boolean;
  readonly chain: boolean;
  readonly subject: boolean;
  readonly uri: boolean;
  readonly dns: boolean;
}

/**
 * `forwardOnly`: what a client with a certificate says goes on. `appendForward`: this client's is added to it. `sanitizeSet`: only this
 * client's. `alwaysForwardOnly`: what any client says goes on.
 */
export type CertificateForwarding = "forwardOnly" | "appendForward" | "sanitizeSet" | "alwaysForwardOnly";

export const CLIENT_CERTIFICATE = "x-forwarded-client-cert";

/** What is not here has taken the header away already: nobody may claim to be who they are not. */
export function clientCertificateRule(mode: CertificateForwarding, details: CertificateDetails): RequestRule {
  const texts = new WeakMap<TlsInfo, string>();
  return ({ headers }, { connection: { tls } }) => {
    if (mode === "alwaysForwardOnly") return undefined;
    if (tls === undefined || tls.peerChain.length === 0) {
      headers.remove(CLIENT_CERTIFICATE);
      return undefined;
    }
    if (mode === "forwardOnly") return undefined;
    const text = texts.get(tls) ?? describe(tls, details);
    texts.set(tls, text);
    const before = mode === "appendForward" ? headers.getJoined(CLIENT_CERTIFICATE) : undefined;
    headers.set(CLIENT_CERTIFICATE, before === undefined ? text : `${before},${text}`);
    return undefined;
  };
}

/** Envoy's form: `By=…;Hash=…;Cert="…";Chain="…";Subject="…";URI=…;DNS=…`. */
function describe(tls: TlsInfo, details: CertificateDetails): string {
  const [leaf] = tls.peerChain;
  if (leaf === undefined) return "";
  const pem = (der: Buffer): string => new X509Certificate(der).toString();
  const each = (key: string, joined: string): string[] => joined.split(",").map((value) => `${key}=${value}`);
  return [
    ...(tls.localUriSans === "" ? [] : each("By", tls.localUriSans)),
    `Hash=${createHash("sha256").update(leaf).digest("hex")}`,
    ...(details.cert ? [`Cert="${encodeURIComponent(pem(leaf))}"`] : []),
    ...(details.chain ? [`Chain="${encodeURIComponent(tls.peerChain.map(pem).join(""))}"`] : []),
    ...(details.subject ? [`Subject="${tls.peerSubject.replaceAll('"', String.raw`\"`)}"`] : []),
    ...(details.uri ? each("URI", tls.peerUriSans) : []),
    ...(details.dns && tls.peerDnsSans !== "" ? each("DNS", tls.peerDnsSans) : []),
  ].join(";");
}
