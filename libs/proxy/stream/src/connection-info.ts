import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ConnectionInfo } from "./stream.ts";
import { tlsInfoOf } from "./tls-info.ts";

let connections = 0;

/** Read once at the start: a socket forgets its addresses when it closes. */
export function connectionInfoOf(socket: Socket): ConnectionInfo {
  connections++;
  return {
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "",
    localPort: socket.localPort ?? 0,
    id: connections,
    tls: socket instanceof TLSSocket ? tlsInfoOf(socket) : undefined,
  };
}
