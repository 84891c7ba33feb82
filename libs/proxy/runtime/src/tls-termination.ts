import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type PeerCheck, peerProblem, type TlsFiles } from "@fairlead/proxy-upstream";

/** TLS that ends at a listener. */
export interface DownstreamTls {
  readonly files: TlsFiles;
  /** In the order of preference; empty: none is agreed on. */
  readonly alpn: readonly string[];
  /** Whether clients' certificates, where they have one, must have been signed by someone trusted. */
  readonly verify: boolean;
  readonly requireClientCertificate: boolean;
  readonly check: PeerCheck;
}

/** A handshake that takes longer is somebody who holds connections open. */
const HANDSHAKE_MS = 15_000;

/**
 * Makes TLS of a connection.
 *
 * @param onReady called once, when the handshake is done and the client may be served
 * @param onFailure called once instead; the connection is closed
 */
export function terminateTls(
  socket: Socket,
  tls: DownstreamTls,
  onReady: (secure: TLSSocket) => void,
  onFailure: (problem: string) => void,
): TLSSocket {
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: tls.files.context(),
    requestCert: tls.verify || tls.requireClientCertificate,
    rejectUnauthorized: false,
    ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
  });
  let over = false;
  const fail = (problem: string): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    secure.on("error", () => undefined);
    secure.destroy();
    onFailure(problem);
  };
  const timer = setTimeout(() => fail("handshake timeout"), HANDSHAKE_MS);
  const onError = (error: Error): void => fail(error.message);
  const onClose = (): void => fail("the client closed the connection");
  secure.on("error", onError);
  secure.on("close", onClose);
  secure.once("secure", () => {
    if (over) return;
    const problem = clientProblem(secure, tls);
    if (problem !== undefined) {
      fail(problem);
      return;
    }
    over = true;
    clearTimeout(timer);
    secure.off("error", onError);
    secure.off("close", onClose);
    onReady(secure);
  });
  return secure;
}

function clientProblem(secure: TLSSocket, tls: DownstreamTls): string | undefined {
  const present = secure.getPeerX509Certificate() !== undefined;
  if (!present) return tls.requireClientCertificate ? "no client certificate" : undefined;
  if (!tls.verify) return undefined;
  // `authorizationError` is set when OpenSSL did not find a way to someone trusted.
  const error: unknown = secure.authorizationError;
  const unverified = verifyErrorOf(secure);
  if (unverified !== undefined) return unverified;
  if (error !== undefined && error !== null) return error instanceof Error ? error.message : JSON.stringify(error);
  return peerProblem(secure, tls.check);
}

/** A TLSSocket that no tls.Server made does not fill in `authorized`: the handle knows. */
function verifyErrorOf(secure: TLSSocket): string | undefined {
  const { ssl } = secure as unknown as { readonly ssl: { verifyError(): Error | null } | null };
  const error = ssl?.verifyError();
  return error === null || error === undefined ? undefined : error.message;
}
