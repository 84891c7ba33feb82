import { createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { ConnectionAdmission } from "./connection-admission.ts";
import type { SocketRequest, SocketSource } from "./socket-source.ts";

export interface ListeningSocketOptions extends SocketRequest {
  readonly backlog: number;
  readonly maxConnections: number;
  /** @default it is bound here */
  readonly source?: SocketSource | undefined;
  /** Other threads of this process listen there, too; where there is a source, that is its matter. @default false */
  readonly reusePort?: boolean;
  /** @default all up to `maxConnections` are served */
  readonly admission?: ConnectionAdmission;
  /** It was handed over, and cannot be listened on. */
  readonly onFailure?: (error: Error) => void;
}

/** Of the event loop, of some microseconds: who calls again and again is hardly about to. */
const QUIET_TURNS = 100;
/** As many come as are served: it is to end all the same. */
const EMPTYING_MS = 500;

/** Who gets a socket's connections. */
export interface SocketConsumer {
  onConnection(socket: Socket): void;
  /** One was closed because there are `maxConnections` already, or could not be accepted. */
  onOverflow(): void;
}

/** A bound TCP socket that accepts. */
export class ListeningSocket {
  readonly port: number;
  /** May change: the next listener at an address takes over its socket, with the callers in its queue. */
  consumer: SocketConsumer;
  readonly admission: ConnectionAdmission | undefined;
  readonly #server: Server;
  #closed = false;
  #accepted = 0;

  private constructor(server: Server, port: number, consumer: SocketConsumer, admission?: ConnectionAdmission) {
    this.#server = server;
    this.port = port;
    this.consumer = consumer;
    this.admission = admission;
    server.on("connection", (socket) => {
      this.#accepted++;
      if (admission?.admit(socket, () => this.consumer.onOverflow()) !== false) this.consumer.onConnection(socket);
    });
    server.on("drop", () => this.consumer.onOverflow());
    // A failed accept (EMFILE) is tried again by Node; it must not end the process.
    server.on("error", () => this.consumer.onOverflow());
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES …). */
  static async open(options: ListeningSocketOptions, consumer: SocketConsumer): Promise<ListeningSocket> {
    const server = createServer({ noDelay: true });
    server.maxConnections = options.maxConnections;
    const { address: host, port, backlog, reusePort = false } = options;
    if (options.source === undefined) {
      await listening(server, () => server.listen({ host, port, backlog, exclusive: true, reusePort }));
      const bound = server.address();
      return new ListeningSocket(
        server,
        typeof bound === "object" && bound !== null ? bound.port : port,
        consumer,
        options.admission,
      );
    }
    const handed = await options.source.take(options);
    const socket = new ListeningSocket(server, handed.port, consumer, options.admission);
    const listen = async (): Promise<void> => {
      if (!socket.#closed) await listening(server, () => server.listen(handed.handle, backlog));
    };
    if (handed.mayAccept === undefined) await listen();
    else void handed.mayAccept.then(listen).catch(options.onFailure);
    return socket;
  }

  /** Connections that waited are served. */
  release(): void {
    this.admission?.release((socket) => this.consumer.onConnection(socket));
  }

  /** To close a socket resets those who wait in its queue: resolves when nobody does, as far as can be seen. They are served. */
  async empty(): Promise<void> {
    if (!this.#server.listening) return;
    const endMs = performance.now() + EMPTYING_MS;
    for (let quiet = 0; quiet < QUIET_TURNS && performance.now() < endMs;) {
      const before = this.#accepted;
      await turn();
      quiet = this.#accepted === before ? quiet + 1 : 0;
    }
  }

  /** No more connections; those that are open go on. */
  close(): void {
    this.#closed = true;
    this.admission?.close();
    this.#server.close();
  }
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}
