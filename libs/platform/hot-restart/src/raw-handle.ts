import * as net from "node:net";
import { getSystemErrorName } from "node:util";

/** The system's socket behind a `net.Server`. Bound here, and never listened on: who gets it listens. */
export interface RawHandle {
  readonly fd: number;
  /** @returns 0, or minus the system's error number */
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

/**
 * What node:cluster binds the sockets with that its workers share. `net.Server` would accept connections itself, and `net.BoundSocket`
 * cannot be sent to another process.
 */
type CreateServerHandle = (address: string, port: number, family: 4 | 6, fd: -1, flags: number) => RawHandle | number;

/** libuv's UV_TCP_REUSEPORT: several sockets at one address, among which the system shares connections out. */
const REUSE_PORT = 2;

/** @throws Error with the system's `code` (EADDRINUSE, EACCES …) */
export function bindSocket(address: string, port: number, reusePort: boolean): { handle: RawHandle; port: number } {
  const create = Reflect.get(net, "_createServerHandle") as CreateServerHandle;
  const handle = create(address, port, net.isIPv6(address) ? 6 : 4, -1, reusePort ? REUSE_PORT : 0);
  if (typeof handle === "number") throw systemError(handle, address, port);
  const bound: { port?: number } = {};
  // libuv tells a bind that failed at the next call only.
  const failure = handle.getsockname(bound);
  if (failure === 0) return { handle, port: bound.port ?? port };
  handle.close();
  throw systemError(failure, address, port);
}

function systemError(number: number, address: string, port: number): Error {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`bind ${code} ${address}:${port}`), { code, address, port });
}
