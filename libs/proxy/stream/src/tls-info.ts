import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from "node:tls";
import type { TlsInfo } from "./stream.ts";

/** Read once, when the handshake is done: the socket forgets it when it closes. */
export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  // `{}` where the peer had none, or was not asked.
  const peer: Partial<DetailedPeerCertificate> = socket.getPeerCertificate(true);
  const own = socket.getCertificate();
  return {
    serverName: "servername" in socket && typeof socket.servername === "string" ? socket.servername : "",
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.name ?? "",
    peerSubject: subjectOf(peer.subject),
    peerUriSans: namesOf(peer.subjectaltname, "URI"),
    peerDnsSans: namesOf(peer.subjectaltname, "DNS"),
    peerChain: chainOf(peer),
    localUriSans: own !== null && "subjectaltname" in own ? namesOf(own.subjectaltname, "URI") : "",
  };
}

/** Node links each certificate to its issuer's, the last to itself. */
function chainOf(peer: Partial<DetailedPeerCertificate>): Buffer[] {
  const chain: Buffer[] = [];
  let at: Partial<DetailedPeerCertificate> | undefined = peer;
  while (at?.raw !== undefined && !chain.includes(at.raw)) {
    chain.push(at.raw);
    at = at.issuerCertificate;
  }
  return chain;
}

/** RFC 2253 §2.1: the last part of the name comes first. */
function subjectOf(subject: PeerCertificate["subject"] | undefined): string {
  if (subject === undefined) return "";
  return Object.entries(subject)
    .toReversed()
    .flatMap(([type, value]) => [value].flat().map((one) => `${type}=${escaped(String(one))}`))
    .join(",");
}

const escaped = (value: string): string => value.replaceAll(/[,+"\\<>;]/g, String.raw`\$&`);

/** Node writes them as `DNS:a, URI:b`; one with a comma is quoted. */
function namesOf(names: string | undefined, kind: "URI" | "DNS"): string {
  return [...(names ?? "").matchAll(/(?:^|, )(URI|DNS):(?:"((?:[^"\\]|\\.)*)"|([^,]*))/g)]
    .filter(([, found]) => found === kind)
    .map(([, , quoted, bare]) => quoted ?? bare)
    .join(",");
}
