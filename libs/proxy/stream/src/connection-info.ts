import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { toldAddresses } from "./connection-addresses.ts";
import type { ConnectionInfo } from "./stream.ts";
import { tlsInfoOf } from "./tls-info.ts";

let connections = 0;

/** Read once at the start: a socket forgets its addresses when it closes. */
export function connectionInfoOf(socket: Socket): ConnectionInfo {
  connections++;
  const told = toldAddresses(socket);
  const { remoteAddress = "", remotePort = 0 } = socket;
  return {
    remoteAddress: told?.remoteAddress ?? remoteAddress,
    remotePort: told?.remotePort ?? remotePort,
    localAddress: told?.localAddress ?? socket.localAddress ?? "",
    localPort: told?.localPort ?? socket.localPort ?? 0,
    directRemoteAddress: remoteAddress,
    directRemotePort: remotePort,
    localRestored: told?.localRestored ?? false,
    id: connections,
    ...(socket instanceof TLSSocket
      ? { tls: tlsInfoOf(socket), transportFailure: () => failureOf(socket) }
      : { tls: undefined, transportFailure: undefined }),
  };
}

/** A connection that merely breaks is no failure of TLS. */
function failureOf({ errored }: TLSSocket): string {
  const code = errored !== null && "code" in errored ? String(errored.code) : "";
  return code.startsWith("ERR_SSL_") ? (errored?.message ?? "") : "";
}
