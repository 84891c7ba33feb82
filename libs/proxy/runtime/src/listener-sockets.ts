import { ListeningSocket, type ListeningSocketOptions, type SocketConsumer } from "./listening-socket.ts";
import type { SocketRequest } from "./socket-source.ts";

export interface ListenerSocketOptions extends Omit<ListeningSocketOptions, keyof SocketRequest | "backlog"> {
  /** Of a request for any free port. @default the system chooses one */
  readonly portOf?: ((request: SocketRequest) => number | undefined) | undefined;
}

/**
 * The sockets of all listeners. One at an address is kept when a listener is replaced by another: to close it would reset those who
 * wait in its queue, and to bind it anew would refuse those who come meanwhile.
 */
export class ListenerSockets {
  readonly #options: ListenerSocketOptions;
  readonly #byAddress = new Map<string, ListeningSocket>();

  constructor(options: ListenerSocketOptions) {
    this.#options = options;
  }

  /** The consumer gets the connections from now on, in place of the one before it at this address. Rejects with the system's error. */
  async open(
    { name, address, backlog, port: wanted }: SocketRequest & { readonly backlog: number },
    consumer: SocketConsumer,
  ): Promise<ListeningSocket> {
    const anyPort = wanted === 0 ? this.#options.portOf?.({ name, address, port: wanted }) : undefined;
    const request = { name, address, backlog, port: anyPort ?? wanted };
    const known = this.#byAddress.get(keyOf(request));
    if (known !== undefined) {
      known.consumer = consumer;
      return known;
    }
    const socket = await ListeningSocket.open({ ...this.#options, ...request }, consumer);
    this.#byAddress.set(keyOf({ ...request, port: socket.port }), socket);
    return socket;
  }

  /** Whether the address can be bound, for a listener that may not accept yet. Rejects with the system's error. */
  async probe(request: SocketRequest & { readonly backlog: number }): Promise<void> {
    if (this.#byAddress.has(keyOf(request))) return;
    const { source } = this.#options;
    if (source !== undefined) {
      await source.take(request);
      return;
    }
    const consumer = {
      onConnection: (socket: { destroy(): void }) => void socket.destroy(),
      onOverflow: () => undefined,
    };
    (await ListeningSocket.open({ ...this.#options, ...request }, consumer)).close();
  }

  /**
   * Nothing happens when another has taken it over.
   *
   * @param release the configuration has no listener there any more
   */
  close(request: SocketRequest, consumer: SocketConsumer, release: boolean): void {
    for (const [key, socket] of this.#byAddress) {
      if (socket.consumer !== consumer) continue;
      this.#byAddress.delete(key);
      socket.close();
      if (release) this.#options.source?.release(request);
      return;
    }
    // One that never came to listen.
    if (release && !this.#byAddress.has(keyOf(request))) this.#options.source?.release(request);
  }
}

function keyOf({ name, address, port }: SocketRequest): string {
  return port === 0 ? `${address} ${name}` : `${address} ${port}`;
}
