import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  type CertificateProblem,
  peerProblem,
  SECRET_MISSING,
  type TlsSource,
  type TlsStats,
  type TlsTerms,
} from "@fairlead/proxy-upstream";

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
  /** For the handshake; one that takes longer is somebody who holds connections open. 0 = any time. @default 15000 */
  readonly handshakeTimeoutMs: number;
}

/**
 * Makes TLS of a connection.
 *
 * @param onReady called once, when the handshake is done and the client may be served
 * @param onFailure called once instead, unless the client has only gone; the connection is closed. `refused` is among `stats`
 */
export function terminateTls(
  socket: Socket,
  tls: DownstreamTls,
  stats: TlsStats,
  onReady: (secure: TLSSocket) => void,
  onFailure: (problem: "secrets missing" | "timeout" | "refused", reason: string) => void,
): void {
  const terms = tls.source.current();
  if (terms === undefined) {
    socket.on("error", () => undefined);
    socket.destroy();
    onFailure("secrets missing", SECRET_MISSING);
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
  const end = (): void => {
    over = true;
    clearTimeout(timer);
  };
  const close = (): void => {
    end();
    secure.on("error", () => undefined);
    secure.destroy();
  };
  const timer =
    tls.handshakeTimeoutMs === 0
      ? undefined
      : setTimeout(() => {
          close();
          onFailure("timeout", "transport socket timeout was reached");
        }, tls.handshakeTimeoutMs);
  const onError = (error: Error): void => {
    if (over) return;
    stats.countError(error);
    onFailure("refused", error.message);
    close();
  };
  const onClose = (): void => {
    if (!over) close();
  };
  secure.on("error", onError);
  secure.on("close", onClose);
  secure.once("secure", () => {
    if (over) return;
    if (tls.requireServerName && !secure.servername) {
      stats.connection_error++;
      onFailure("refused", "no server name");
      close();
      return;
    }
    const problem = clientProblem(secure, tls.requireClientCertificate, terms);
    if (problem !== undefined) {
      stats.countProblem(problem);
      onFailure("refused", problem);
      close();
      return;
    }
    end();
    secure.off("error", onError);
    secure.off("close", onClose);
    // Of a socket that no tls.Server made, Node tells this way what goes wrong with TLS later, and leaves it open.
    secure.once("_tlsError", (error: Error) => {
      stats.countError(error);
      secure.destroy(error);
    });
    stats.countHandshake(secure);
    if (secure.getPeerX509Certificate() === undefined) stats.no_certificate++;
    onReady(secure);
  });
}

function clientProblem(secure: TLSSocket, required: boolean, terms: TlsTerms): CertificateProblem | undefined {
  const present = secure.getPeerX509Certificate() !== undefined;
  if (!present) return required ? "no certificate" : undefined;
  if (!terms.verify) return undefined;
  // `authorizationError` is set when OpenSSL did not find a way to someone trusted.
  const error: unknown = secure.authorizationError;
  if (!isVerified(secure) || (error !== undefined && error !== null)) return "not trusted";
  return peerProblem(secure, terms.check);
}

/** A TLSSocket that no tls.Server made does not fill in `authorized`: the handle knows. */
function isVerified(secure: TLSSocket): boolean {
  const { ssl } = secure as unknown as { readonly ssl: { verifyError(): Error | null } | null };
  return (ssl?.verifyError() ?? null) === null;
}
