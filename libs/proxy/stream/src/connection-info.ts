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
    tls: socket instanceof TLSSocket ? tlsInfoOf(socket) : undefined,
  };
}
