import { type AddressInfo, createServer, type Socket } from "node:net";
import { FairleadError } from "@fairlead/errors";
import { type ConnectionInjector, Server, ServerCredentials } from "@grpc/grpc-js";

export interface GrpcListenerOptions {
  readonly maxStreams: number;
  readonly addServices: (server: Server) => void;
}

const maxRequestBytes = 4 * 1024 * 1024;

/**
 * The gRPC server on a TCP server of our own: gRPC offers no way to reset a stream whose other end does not read, so its
 * connection has to be within reach.
 */
export class GrpcListener {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #sockets = new Map<string, Socket>();
  readonly #tcp;

  constructor(options: GrpcListenerOptions) {
    this.#server = new Server({
      "grpc.max_receive_message_length": maxRequestBytes,
      "grpc.max_send_message_length": -1,
      "grpc.max_concurrent_streams": options.maxStreams,
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 20_000,
      "grpc.enable_channelz": 0,
    });
    options.addServices(this.#server);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  #accept(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#sockets.set(peer, socket);
    socket.on("close", () => this.#sockets.delete(peer));
    // HTTP/2 reports what goes wrong by closing; without a listener a reset would end the process.
    socket.on("error", () => socket.destroy());
    this.#injector.injectConnection(socket);
  }

  /** @returns the port @throws FairleadError FL_LISTEN_FAILED */
  async listen(bind: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once("error", (cause) => {
        const message = `ads-gateway cannot listen on ${bind}:${port}: ${cause.message}`;
        reject(new FairleadError("FL_LISTEN_FAILED", message, { facts: { bind, port }, cause }));
      });
      this.#tcp.listen(port, bind, resolve);
    });
    const address: AddressInfo | string | null = this.#tcp.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** Cuts the connection of a peer, `address:port`. */
  cut(peer: string): void {
    this.#sockets.get(peer)?.destroy();
  }

  /** Takes no more connections, waits for streams to end, and cuts what is left after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    // Its callback is of no use: gRPC takes a session that Node has begun to close for closed, with responses still to be sent.
    // The TCP server is closed when the last connection is.
    this.#server.tryShutdown(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([closed, late]);
    clearTimeout(timer);
    this.#server.forceShutdown();
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }
}
