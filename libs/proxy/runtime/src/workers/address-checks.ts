import { createServer } from "node:net";
import type { HandedSocket, SocketRequest, SocketSource } from "../socket-source.ts";

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
    const port = this.#ports.get(key) ?? (await bindOnce(request));
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

/** Without `reusePort`: that would succeed beside another process that has it. */
function bindOnce({ address, port }: SocketRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : port));
    });
  });
}
