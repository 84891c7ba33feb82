import { type AddressInfo, createServer, type Server as TcpServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { FairleadError } from "@fairlead/errors";
import { type ConnectionInjector, Server, ServerCredentials } from "@grpc/grpc-js";
import { PeerConnections, type PeerConnectionsOptions, type PeerTransport } from "./peer-connections.ts";

export interface GrpcListenerOptions extends Pick<
  PeerConnectionsOptions,
  "maxConnections" | "maxWithoutStream" | "idleMs" | "maxAgeMs" | "onLeaving"
> {
  readonly maxStreamsPerConnection: number;
  /** A ping goes out this long after the last one; a peer that does not answer is cut. ms */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** From GOAWAY until a connection is cut. ms */
  readonly graceMs: number;
  readonly addServices: (server: Server) => void;
}

/** A gRPC call, as far as the listener looks at it. */
export interface ListenerCall {
  getPeer(): string;
  on(event: "close" | "cancelled" | "finish" | "error", listener: () => void): unknown;
}

const maxRequestBytes = 4 * 1024 * 1024;
/** Of what HTTP/2 itself holds for a connection: new streams are refused beyond it. */
const maxSessionMegabytes = 256;
/** When thousands of proxies connect at once, the system holds so many until they are accepted; beyond it resets them. The system may have a lower limit. */
const backlog = 4096;
const maxSweepMs = 1000;
const minSweepMs = 10;
/** Between two connections of a drain, unless there are too many for that. */
const drainStepMs = 20;

class SocketTransport implements PeerTransport {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #injector: ConnectionInjector;

  constructor(peer: string, socket: Socket, injector: ConnectionInjector) {
    this.peer = peer;
    this.#socket = socket;
    this.#injector = injector;
  }
  goAway(graceMs: number): void {
    // The connection is cut by us, at the next sweep.
    this.#injector.drain(graceMs + 2 * maxSweepMs);
  }
  cut(): void {
    this.#socket.destroy();
  }
}

/**
 * The gRPC server on a TCP server of our own: gRPC offers no way to reset a stream whose other end does not read, nor to send
 * one connection away, so connections have to be within reach. Each has an injector of its own, for GOAWAY.
 */
export class GrpcListener {
  readonly #grpc: Server;
  readonly #credentials = ServerCredentials.createInsecure();
  readonly #tcp: TcpServer;
  readonly #peers: PeerConnections;
  readonly #sweepMs: number;
  #sweeping: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: GrpcListenerOptions) {
    this.#peers = new PeerConnections(options);
    this.#grpc = new Server({
      "grpc.max_receive_message_length": maxRequestBytes,
      "grpc.max_send_message_length": -1,
      "grpc.max_concurrent_streams": options.maxStreamsPerConnection,
      "grpc.keepalive_time_ms": options.keepaliveMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
      "grpc-node.max_session_memory": maxSessionMegabytes,
      "grpc.enable_channelz": 0,
    });
    options.addServices(this.#grpc);
    const shortest = Math.min(options.idleMs, options.maxAgeMs === 0 ? Infinity : options.maxAgeMs, options.graceMs);
    this.#sweepMs = Math.min(maxSweepMs, Math.max(minSweepMs, shortest / 10));
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** TCP connections, and how many of them have no stream. */
  get connections(): { readonly all: number; readonly withoutStream: number } {
    return { all: this.#peers.size, withoutStream: this.#peers.withoutStream };
  }

  #accept(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const injector = this.#grpc.createConnectionInjector(this.#credentials);
    socket.on("close", () => {
      this.#peers.closed(peer);
      injector.destroy();
    });
    // HTTP/2 reports what goes wrong by closing; without a listener a reset would end the process.
    socket.on("error", () => socket.destroy());
    const room = this.#peers.accept(new SocketTransport(peer, socket, injector));
    if (room) injector.injectConnection(socket);
    else socket.destroy();
  }

  /** To be told of each stream at its begin. */
  streamOpened(call: ListenerCall): void {
    const peer = call.getPeer();
    let open = true;
    const ended = () => {
      if (open) this.#peers.streamEnded(peer);
      open = false;
    };
    this.#peers.streamOpened(peer);
    for (const event of ["close", "cancelled", "finish", "error"] as const) call.on(event, ended);
  }

  /** @returns the port @throws FairleadError FL_LISTEN_FAILED */
  async listen(bind: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once("error", (cause) => {
        const message = `ads-gateway cannot listen on ${bind}:${port}: ${cause.message}`;
        reject(new FairleadError("FL_LISTEN_FAILED", message, { facts: { bind, port }, cause }));
      });
      this.#tcp.listen({ port, host: bind, backlog }, resolve);
    });
    this.#sweeping = setInterval(() => this.#peers.sweep(), this.#sweepMs).unref();
    const address: AddressInfo | string | null = this.#tcp.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** Closes the connection of a peer, `address:port`, of which a stream does not read; it is cut within a second. */
  sendAway(peer: string): void {
    this.#peers.sendAway(peer);
  }

  /** Takes no more connections, and sends away those that there are, one after the other, within the time. */
  async drain(spreadMs: number): Promise<void> {
    void this.#stopListening();
    const total = this.#peers.size;
    const stepMs = Math.min(drainStepMs, spreadMs / total);
    const begin = performance.now();
    await this.#peers.drain(async (remaining) => {
      const delayMs = begin + (total - remaining) * stepMs - performance.now();
      if (delayMs >= 1) await sleep(delayMs);
    });
  }

  /** Takes no more connections, waits for streams to end, and cuts what is left after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    const closed = this.#stopListening();
    // Its callback is of no use: gRPC takes a session that Node has begun to close for closed, with responses still to be sent.
    // The TCP server is closed when the last connection is.
    this.#grpc.tryShutdown(() => undefined);
    const waiting = new AbortController();
    await Promise.race([closed, sleep(timeoutMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
    waiting.abort();
    clearInterval(this.#sweeping);
    this.#grpc.forceShutdown();
    this.#peers.cutAll();
    await closed;
  }

  /** @returns resolves when the last connection is closed */
  #stopListening(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    return this.#closed;
  }
}
