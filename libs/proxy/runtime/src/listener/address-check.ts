import * as net from "node:net";
import { getSystemErrorName } from "node:util";

/** What node:cluster binds the sockets of its workers with: it does not listen. `net.BoundSocket` would do, from Node 26.4 on. */
type CreateServerHandle = (address: string, port: number, family: 4 | 6, fd: -1, flags: number) => BoundHandle | number;

/** libuv's UV_TCP_REUSEPORT. */
const REUSE_PORT = 2;

interface BoundHandle {
  /** @returns 0, or minus the system's error number */
  getsockname(out: { port?: number }): number;
  close(): void;
}

/**
 * Whether an address can be bound. Nothing listens there meanwhile: a caller that came would be taken into the queue of a socket that
 * nobody serves, and reset with it.
 *
 * @param address an IP address
 * @param reusePort another thread may listen there already; that succeeds beside another process that shares its addresses, too
 * @returns the port
 * @throws Error with the system's `code` (EADDRINUSE, EACCES …)
 */
export function checkAddress(address: string, port: number, reusePort = false): number {
  const create = Reflect.get(net, "_createServerHandle") as CreateServerHandle;
  const handle = create(address, port, net.isIPv6(address) ? 6 : 4, -1, reusePort ? REUSE_PORT : 0);
  if (typeof handle === "number") throw bindError(handle, address, port);
  try {
    const bound: { port?: number } = {};
    // libuv tells of an address in use at the next call only.
    const failure = handle.getsockname(bound);
    if (failure !== 0) throw bindError(failure, address, port);
    return bound.port ?? port;
  } finally {
    handle.close();
  }
}

function bindError(number: number, address: string, port: number): Error {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`bind ${code} ${address}:${port}`), { code, address, port });
}
