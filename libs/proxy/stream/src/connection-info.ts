import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { toldAddresses } from "./connection-addresses.ts";
import type { ConnectionInfo } from "./stream.ts";
import { tlsInfoOf } from "./tls-info.ts";

let connections = 0;
/** Of those that somebody wants to know by it before they are served. */
const ids = new WeakMap<Socket, number>();

/** The number that the connection has for all who ask from now on. @param of the socket that it was before TLS */
export function connectionIdOf(socket: Socket, of: Socket = socket): number {
  const id = ids.get(of) ?? ++connections;
  ids.set(socket, id);
  return id;
}

/** Read once at the start: a socket forgets its addresses when it closes. */
export function connectionInfoOf(socket: Socket): ConnectionInfo {
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
    metadata: told?.metadata,
    id: ids.get(socket) ?? ++connections,
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
