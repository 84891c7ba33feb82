import { connect, Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls";
import { type PeerProblem, peerProblem } from "./peer-check.ts";
import { forgetSession, keepSessions, lastSession } from "./tls-sessions.ts";
import type { TlsStats } from "./tls-stats.ts";
import { SECRET_MISSING, type TlsSource, type TlsTerms } from "./tls-source.ts";

/** TLS towards a cluster's hosts. */
export interface UpstreamTls {
  readonly source: TlsSource;
  /** "" for none. */
  readonly serverName: string;
  /** In the order of preference. */
  readonly alpn: readonly string[];
  /** Of SDS, that it has its certificates from. */
  readonly secretNames: readonly string[];
  /** A host's last session makes the next handshake short. @default true */
  readonly resumesSessions: boolean;
  /** What a request calls the host takes the place of `serverName`. @default it does not */
  readonly auto?: AutoServerName | undefined;
  /** The host's certificate must be for `serverName`. @default false */
  readonly checksServerName: boolean;
}

export interface AutoServerName {
  /** The header that says it, in lower case. @default Host */
  readonly header: string | undefined;
}

/** The system's probes of a connection that is quiet; undefined: the system's own numbers. */
export interface TcpKeepAlive {
  readonly timeMs: number | undefined;
  readonly intervalMs: number | undefined;
  readonly probes: number | undefined;
}

/** What a cluster says about connections to its hosts. */
export interface ConnectSettings {
  /** @default plain */
  readonly tls?: UpstreamTls | undefined;
  /** @default off */
  readonly keepAlive?: TcpKeepAlive | undefined;
}

/**
 * Connects to a host, with TLS where the cluster says so.
 *
 * @param onReady called once, when the host may be written to. Before it an `error` of the socket ends the attempt.
 */
export function connectHost(
  address: string,
  port: number,
  settings: ConnectSettings,
  stats: TlsStats,
  onReady: () => void,
): Socket {
  const { tls } = settings;
  const socket =
    tls === undefined
      ? connect({ host: address, port, noDelay: true }, onReady)
      : openTls(address, port, tls, stats, onReady);
  const { keepAlive } = settings;
  if (keepAlive !== undefined) socket.setKeepAlive(true, keepAlive.timeMs, keepAlive.intervalMs, keepAlive.probes);
  return socket;
}

function openTls(address: string, port: number, tls: UpstreamTls, stats: TlsStats, onReady: () => void): Socket {
  const terms = tls.source.current();
  if (terms === undefined) return new Socket().destroy(new Error(SECRET_MISSING));
  // A session is of one name: a host may have another certificate for another.
  const sessionKey = `${address} ${port} ${tls.serverName}`;
  const session = tls.resumesSessions ? lastSession(terms.context, sessionKey) : undefined;
  const socket = connectTls({
    host: address,
    port,
    secureContext: terms.context,
    ALPNProtocols: [...tls.alpn],
    rejectUnauthorized: terms.verify,
    // Names are checked below, by what the cluster says.
    checkServerIdentity: () => undefined,
    ...(session === undefined ? {} : { session }),
    ...(tls.serverName === "" ? {} : { servername: tls.serverName }),
  });
  socket.setNoDelay(true);
  const verified = tls.resumesSessions ? keepSessions(socket, terms.context, sessionKey) : undefined;
  let connected = false;
  socket.once("connect", () => {
    connected = true;
  });
  const onError = (error: NodeJS.ErrnoException): void => {
    forgetSession(terms.context, sessionKey);
    // OpenSSL did not find a way to someone trusted.
    if (terms.verify && socket.authorizationError) stats.countProblem("not trusted");
    else if (connected) stats.countError(error);
  };
  socket.once("error", onError);
  socket.once("secureConnect", () => {
    const problem = terms.verify && !socket.isSessionReused() ? hostProblem(socket, tls, terms) : undefined;
    if (problem === undefined) {
      socket.off("error", onError);
      socket.once("error", () => forgetSession(terms.context, sessionKey));
      stats.countHandshake(socket);
      verified?.();
      onReady();
      return;
    }
    socket.off("error", onError);
    forgetSession(terms.context, sessionKey);
    stats.countProblem(problem.kind);
    socket.destroy(new Error(`TLS_error: certificate verify failed: ${problem.message}`));
  });
  return socket;
}

function hostProblem(
  socket: TLSSocket,
  tls: UpstreamTls,
  { check }: TlsTerms,
): { readonly kind: PeerProblem; readonly message: string } | undefined {
  if (tls.checksServerName && tls.serverName !== "") {
    const wrongName = checkServerIdentity(tls.serverName, socket.getPeerCertificate());
    if (wrongName !== undefined) return { kind: "verify SAN list", message: wrongName.message };
  }
  const kind = peerProblem(socket, check);
  return kind === undefined ? undefined : { kind, message: kind };
}
