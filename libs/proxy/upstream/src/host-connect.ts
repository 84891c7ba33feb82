import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type PeerCheck, peerProblem } from "./peer-check.ts";
import type { TlsFiles } from "./tls-files.ts";

/** TLS towards a cluster's hosts. */
export interface UpstreamTls {
  readonly files: TlsFiles;
  /** "" for none. */
  readonly serverName: string;
  /** In the order of preference. */
  readonly alpn: readonly string[];
  /** Whether the host's certificate must have been signed by someone trusted. */
  readonly verify: boolean;
  readonly check: PeerCheck;
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
export function connectHost(address: string, port: number, settings: ConnectSettings, onReady: () => void): Socket {
  const socket = open(address, port, settings.tls, onReady);
  const { keepAlive } = settings;
  if (keepAlive !== undefined) socket.setKeepAlive(true, keepAlive.timeMs, keepAlive.intervalMs, keepAlive.probes);
  return socket;
}

function open(address: string, port: number, tls: UpstreamTls | undefined, onReady: () => void): Socket {
  if (tls === undefined) return connect({ host: address, port, noDelay: true }, onReady);
  const socket = connectTls({
    host: address,
    port,
    secureContext: tls.files.context(),
    ALPNProtocols: [...tls.alpn],
    rejectUnauthorized: tls.verify,
    // Names are checked below, by what the cluster says.
    checkServerIdentity: () => undefined,
    ...(tls.serverName === "" ? {} : { servername: tls.serverName }),
  });
  socket.setNoDelay(true);
  socket.once("secureConnect", () => {
    const problem = tls.verify ? peerProblem(socket, tls.check) : undefined;
    if (problem === undefined) onReady();
    else socket.destroy(new Error(`TLS_error: certificate verify failed: ${problem}`));
  });
  return socket;
}
