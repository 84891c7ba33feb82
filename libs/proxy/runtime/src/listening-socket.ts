import { createServer, type Server, type Socket } from "node:net";

export interface ListeningSocketOptions {
  readonly address: string;
  readonly port: number;
  readonly backlog: number;
  readonly maxConnections: number;
  readonly onConnection: (socket: Socket) => void;
  /** One was closed because there are `maxConnections` already. */
  readonly onOverflow: () => void;
}

/** A bound TCP socket that accepts. */
export class ListeningSocket {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES …). */
  static open(options: ListeningSocketOptions): Promise<ListeningSocket> {
    const server = createServer({ noDelay: true }, options.onConnection);
    server.maxConnections = options.maxConnections;
    server.on("drop", options.onOverflow);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: options.address, port: options.port, backlog: options.backlog, exclusive: true }, () => {
        server.off("error", reject);
        // A failed accept (EMFILE) is tried again by Node; it must not end the process.
        server.on("error", options.onOverflow);
        const bound = server.address();
        resolve(new ListeningSocket(server, bound === null || typeof bound === "string" ? options.port : bound.port));
      });
    });
  }

  /** No more connections; those that are open go on. */
  close(): void {
    this.#server.close();
  }
}
