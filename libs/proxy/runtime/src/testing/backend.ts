import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import { portOf } from "@fairlead/testing-basics";

/** A server of Node's own on a free port: another implementation to talk to. */
export class Backend implements AsyncDisposable {
  readonly port: number;
  requests = 0;
  readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  static async start(
    handler: RequestListener,
    options: { readonly keepAliveTimeoutMs?: number } = {},
  ): Promise<Backend> {
    const server = createServer({ keepAliveTimeout: options.keepAliveTimeoutMs ?? 60_000 }, (request, response) => {
      backend.requests++;
      handler(request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const backend: Backend = new Backend(server, portOf(server));
    return backend;
  }

  /** Answers with a name. */
  static named(name: string): Promise<Backend> {
    return Backend.start((request, response) => {
      request.resume();
      response.end(name);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A server that does what a handler says with the bytes of each connection. */
export class RawBackend implements AsyncDisposable {
  readonly port: number;
  connections = 0;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(server: TcpServer) {
    this.#server = server;
    this.port = portOf(server);
  }

  static async start(handler: (socket: Socket, number: number) => void): Promise<RawBackend> {
    const server = createTcpServer((socket) => {
      backend.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => backend.#sockets.delete(socket));
      handler(socket, ++backend.connections);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const backend = new RawBackend(server);
    return backend;
  }

  get open(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
