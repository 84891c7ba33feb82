import type { SocketRequest } from "./messages.ts";
import { bindSocket, type RawHandle } from "./raw-handle.ts";

interface HeldSocket {
  readonly handle: RawHandle;
  readonly port: number;
  /** The epochs that have asked for it and have not given it back. */
  readonly claims: Set<number>;
}

/**
 * The sockets of the process that serves, by address and worker. They stay open while one epoch follows the other, also after a crash:
 * callers wait in their queues.
 */
export class HeldSockets {
  readonly #held = new Map<string, HeldSocket>();

  get size(): number {
    return this.#held.size;
  }

  /** @throws Error with the system's `code` */
  take(request: SocketRequest, epoch: number): { readonly handle: RawHandle; readonly port: number } {
    const key = keyOf(request);
    let socket = this.#held.get(key);
    if (socket === undefined) {
      socket = { ...bindSocket(request.address, request.port, (request.workers ?? 1) > 1), claims: new Set() };
      this.#held.set(key, socket);
    }
    socket.claims.add(epoch);
    return socket;
  }

  /** The epoch's configuration has no such listener any more, for none of its workers. */
  release(request: SocketRequest, epoch: number): void {
    for (let worker = 0; worker < (request.workers ?? 1); worker++) {
      const socket = this.#held.get(keyOf({ ...request, worker }));
      socket?.claims.delete(epoch);
    }
    this.#closeUnclaimed();
  }

  /** The epoch serves no more: what those in `kept` have not asked for is closed. */
  keepOnly(kept: readonly number[]): void {
    for (const { claims } of this.#held.values()) {
      for (const epoch of claims) if (!kept.includes(epoch)) claims.delete(epoch);
    }
    this.#closeUnclaimed();
  }

  close(): void {
    for (const { handle } of this.#held.values()) handle.close();
    this.#held.clear();
  }

  #closeUnclaimed(): void {
    for (const [key, { handle, claims }] of this.#held) {
      if (claims.size > 0) continue;
      handle.close();
      this.#held.delete(key);
    }
  }
}

function keyOf({ name, address, port, worker = 0 }: SocketRequest): string {
  return `${address} ${port === 0 ? `of ${name}` : port} ${worker}`;
}
