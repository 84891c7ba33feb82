import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** What the peer's certificate must say besides having been signed by someone trusted. Empty lists ask for nothing. */
export interface PeerCheck {
  /** One of them must fit one of the certificate's alternative names of the same kind. */
  readonly names: readonly {
    readonly kind: "DNS" | "URI" | "IP Address" | "email";
    readonly matches: (name: string) => boolean;
  }[];
  /** SHA-256 of the certificate, in hex without colons. */
  readonly hashes: readonly string[];
  /** SHA-256 of its public key, in Base64. */
  readonly spki: readonly string[];
}

export type PeerProblem = "no certificate" | "verify SAN list" | "verify certificate hash";

/** @returns what is wrong with the peer's certificate; undefined when nothing is */
export function peerProblem(socket: TLSSocket, check: PeerCheck): PeerProblem | undefined {
  if (check.names.length === 0 && check.hashes.length === 0 && check.spki.length === 0) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return "no certificate";
  if (check.names.length > 0 && !nameFits(certificate, check)) return "verify SAN list";
  if (check.hashes.length === 0 && check.spki.length === 0) return undefined;
  const hash = createHash("sha256").update(certificate.raw).digest("hex");
  const spki = createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  return check.hashes.includes(hash) || check.spki.includes(spki) ? undefined : "verify certificate hash";
}

function nameFits(certificate: X509Certificate, check: PeerCheck): boolean {
  for (const entry of (certificate.subjectAltName ?? "").split(", ")) {
    const colon = entry.indexOf(":");
    const kind = entry.slice(0, colon);
    const text = entry.slice(colon + 1);
    const name = text.startsWith('"') ? unquote(text) : text;
    if (check.names.some((wanted) => wanted.kind === kind && wanted.matches(name))) return true;
  }
  return false;
}

/** Node quotes names that hold a comma or a quote, so that none can pretend to be two. */
function unquote(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "string" ? parsed : "";
  } catch {
    return "";
  }
}
