import type { Socket } from "node:net";

/** The ends of a connection as something before us told them: a balancer's PROXY header, or a redirection. */
export interface ConnectionAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** The local end is not the listener's own. */
  readonly localRestored: boolean;
  /** What else was told, by namespace and key. @default nothing */
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
}

const told = new WeakMap<Socket, ConnectionAddresses>();

/** For who serves the socket from now on. */
export function tellAddresses(socket: Socket, addresses: ConnectionAddresses): void {
  told.set(socket, addresses);
}

/** TLS makes another socket of one. */
export function passAddresses(from: Socket, to: Socket): void {
  const addresses = told.get(from);
  if (addresses !== undefined) told.set(to, addresses);
}

/** @returns undefined when nothing but the socket tells them */
export function toldAddresses(socket: Socket): ConnectionAddresses | undefined {
  return told.get(socket);
}
