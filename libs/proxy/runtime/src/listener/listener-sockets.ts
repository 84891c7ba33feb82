import type { OverloadState } from "@fairlead/proxy-overload";
import { localStats, type StatStore } from "@fairlead/stat-cells";
import { checkAddress } from "./address-check.ts";
import { ConnectionAdmission, SocketStats } from "./connection-admission.ts";
import { ListeningSocket, type ListeningSocketOptions, type SocketConsumer } from "./listening-socket.ts";
import type { SocketRequest } from "./socket-source.ts";

export interface ListenerSocketOptions extends Omit<
  ListeningSocketOptions,
  keyof SocketRequest | "backlog" | "admission"
> {
  /** Of this thread. @default it never has too much to do */
  readonly overload?: OverloadState | undefined;
  /** @default counters of this thread alone */
  readonly stats?: StatStore | undefined;
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
  readonly #stats = new WeakMap<ListeningSocket, readonly [address: string, stats: SocketStats]>();

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
    const { overload, maxConnections } = this.#options;
    const stats = (this.#options.stats ?? localStats).create(
      `socket.${keyOf({ name, address, port: wanted })}`,
      SocketStats,
    );
    const admission = new ConnectionAdmission({ stats, maxConnections, maxWaiting: backlog, overload });
    const socket = await ListeningSocket.open({ ...this.#options, ...request, admission }, consumer);
    this.#stats.set(socket, [`${address}_${socket.port}`, stats]);
    this.#byAddress.set(keyOf({ ...request, port: socket.port }), socket);
    return socket;
  }

  /** By `address_port`. */
  *stats(): Iterable<readonly [address: string, stats: SocketStats]> {
    for (const socket of this.#byAddress.values()) {
      const known = this.#stats.get(socket);
      if (known !== undefined) yield known;
    }
  }

  /** Connections that are open at all sockets, in all threads. */
  get activeConnections(): number {
    let active = 0;
    for (const socket of this.#byAddress.values()) active += socket.admission?.active ?? 0;
    return active;
  }

  /** Connections that waited are served. */
  release(): void {
    for (const socket of this.#byAddress.values()) socket.release();
  }

  /** Whether the address can be bound, for a listener that may not accept yet. Rejects with the system's error. */
  async probe(request: SocketRequest & { readonly backlog: number }): Promise<void> {
    if (this.#byAddress.has(keyOf(request))) return;
    const { source, reusePort } = this.#options;
    if (source !== undefined) {
      await source.take(request);
      return;
    }
    checkAddress(request.address, request.port, reusePort);
  }

  /**
   * Who waits in its queue is served before. Nothing happens when another has taken it over, which it may also do until then.
   *
   * @param how.released the configuration has no listener there any more
   * @param how.now whoever waits
   */
  async close(
    request: SocketRequest,
    consumer: SocketConsumer,
    { released: release, now }: { readonly released: boolean; readonly now: boolean },
  ): Promise<void> {
    for (const [key, socket] of this.#byAddress) {
      if (socket.consumer !== consumer) continue;
      // In the queue of a socket that outlives us callers wait for who comes next.
      const outlivesUs = this.#options.source !== undefined && !release;
      if (!now && !outlivesUs) await socket.empty();
      if (socket.consumer !== consumer || this.#byAddress.get(key) !== socket) return;
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
