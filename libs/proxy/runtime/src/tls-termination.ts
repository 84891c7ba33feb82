import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { peerProblem, SECRET_MISSING, type TlsSource, type TlsTerms } from "@fairlead/proxy-upstream";

/** TLS that ends at a listener. */
export interface DownstreamTls {
  readonly source: TlsSource;
  /** Of SDS, that it has its certificates from. */
  readonly secretNames: readonly string[];
  /** In the order of preference; empty: none is agreed on. */
  readonly alpn: readonly string[];
  readonly requireClientCertificate: boolean;
  /** Whether a client must name the server that it means. @default false */
  readonly requireServerName: boolean;
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
): void {
  const terms = tls.source.current();
  if (terms === undefined) {
    socket.on("error", () => undefined);
    socket.destroy();
    onFailure(SECRET_MISSING);
    return;
  }
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: terms.context,
    requestCert: terms.verify || tls.requireClientCertificate,
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
    const nameless = tls.requireServerName && !secure.servername;
    const problem = nameless ? "no server name" : clientProblem(secure, tls.requireClientCertificate, terms);
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
}

function clientProblem(secure: TLSSocket, required: boolean, terms: TlsTerms): string | undefined {
  const present = secure.getPeerX509Certificate() !== undefined;
  if (!present) return required ? "no client certificate" : undefined;
  if (!terms.verify) return undefined;
  // `authorizationError` is set when OpenSSL did not find a way to someone trusted.
  const error: unknown = secure.authorizationError;
  const unverified = verifyErrorOf(secure);
  if (unverified !== undefined) return unverified;
  if (error !== undefined && error !== null) return error instanceof Error ? error.message : JSON.stringify(error);
  return peerProblem(secure, terms.check);
}

/** A TLSSocket that no tls.Server made does not fill in `authorized`: the handle knows. */
function verifyErrorOf(secure: TLSSocket): string | undefined {
  const { ssl } = secure as unknown as { readonly ssl: { verifyError(): Error | null } | null };
  const error = ssl?.verifyError();
  return error === null || error === undefined ? undefined : error.message;
}
