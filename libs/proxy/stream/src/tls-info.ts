import type { PeerCertificate, TLSSocket } from "node:tls";
import type { TlsInfo } from "./stream.ts";

/** Read once, when the handshake is done: the socket forgets it when it closes. */
export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  // `{}` where the peer had none, or was not asked.
  const peer: Partial<PeerCertificate> = socket.getPeerCertificate();
  const own = socket.getCertificate();
  return {
    serverName: "servername" in socket && typeof socket.servername === "string" ? socket.servername : "",
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.name ?? "",
    peerSubject: subjectOf(peer.subject),
    peerUriSans: urisOf(peer.subjectaltname),
    localUriSans: own !== null && "subjectaltname" in own ? urisOf(own.subjectaltname) : "",
  };
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
function urisOf(names: string | undefined): string {
  return [...(names ?? "").matchAll(/(?:^|, )URI:(?:"((?:[^"\\]|\\.)*)"|([^,]*))/g)]
    .map(([, quoted, bare]) => quoted ?? bare)
    .join(",");
}
