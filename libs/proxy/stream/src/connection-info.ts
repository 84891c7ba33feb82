import type { Socket } from "node:net";
import type { ConnectionInfo } from "./stream.ts";

/** Read once at the start: a socket forgets its addresses when it closes. */
export function connectionInfoOf(socket: Socket): ConnectionInfo {
  return {
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "",
    localPort: socket.localPort ?? 0,
  };
}
