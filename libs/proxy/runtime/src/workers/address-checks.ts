import { randomInt } from "node:crypto";
import { checkAddress } from "../listener/address-check.ts";
import type { HandedSocket, SocketRequest, SocketSource } from "../listener/socket-source.ts";

/** Below those that Linux gives to connections by default (`net.ipv4.ip_local_port_range`). */
const anyPorts = [16_384, 32_768] as const;
const MAX_TRIES = 20;

/**
 * The listening addresses as the control thread has them: it accepts nothing, but finds out whether an address is taken, which workers
 * that share their addresses cannot see, and which port "any" is.
 */
export class AddressChecks implements SocketSource {
  readonly #ports = new Map<string, number>();

  /** Key → port, of requests for any free port. */
  get ports(): ReadonlyMap<string, number> {
    return this.#ports;
  }

  async take(request: SocketRequest): Promise<HandedSocket> {
    const key = anyPortKey(request);
    const port =
      this.#ports.get(key) ??
      (request.port === 0 ? anyPort(request.address) : checkAddress(request.address, request.port));
    this.#ports.set(key, port);
    return { port, handle: {}, mayAccept: new Promise(() => undefined) };
  }

  release(request: SocketRequest): void {
    this.#ports.delete(anyPortKey(request));
  }
}

export function anyPortKey({ name, address, port }: SocketRequest): string {
  return port === 0 ? `${address} ${name}` : `${address} ${port}`;
}

/**
 * Not one that the system would choose: it is not held from here on until the workers bind it, and the system could give it to another
 * that shares its addresses, too.
 */
function anyPort(address: string): number {
  for (let tries = 0; ; tries++) {
    try {
      return checkAddress(address, randomInt(...anyPorts));
    } catch (error) {
      if (tries >= MAX_TRIES) throw error;
    }
  }
}
