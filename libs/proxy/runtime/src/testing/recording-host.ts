import { createServer, type Server, type Socket } from "node:net";
import { type HostReading, leniently, strictly } from "./host-reading.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Recorded {
  readonly socket: Socket;
  bytes: string;
  /** Up to where requests have been read. */
  read: number;
  ended: boolean;
}

/**
 * A host on a plain socket that keeps every byte, and reads requests out of them by one of two sets of rules. What one of them takes
 * for one request and the other for two is how requests are smuggled.
 */
export class RecordingHost implements AsyncDisposable {
  readonly port: number;
  readonly requests: HostReading[] = [];
  /** What the strict host found wrong. */
  readonly faults: string[] = [];
  readonly #server: Server;
  readonly #connections: Recorded[] = [];
  readonly #read: typeof strictly;

  private constructor(server: Server, lenient: boolean) {
    this.#server = server;
    this.#read = lenient ? leniently : strictly;
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not bound");
    this.port = address.port;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async start(rules: "strict" | "lenient"): Promise<RecordingHost> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new RecordingHost(server, rules === "lenient");
  }

  /** All that came, on whatever connection. */
  bytes = "";

  /** Connections that hold a part of a request which may still go on. */
  get waiting(): number {
    return this.#connections.filter(({ bytes, read, ended }) => !ended && read < bytes.length).length;
  }

  /** Forgets what came, and ends what is open. */
  clear(): void {
    for (const { socket } of this.#connections) socket.destroy();
    this.#connections.length = 0;
    this.bytes = "";
    this.requests.length = 0;
    this.faults.length = 0;
  }

  #serve(socket: Socket): void {
    const connection: Recorded = { socket, bytes: "", read: 0, ended: false };
    this.#connections.push(connection);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => (connection.ended = true));
    socket.on("data", (chunk: Buffer) => {
      const text = chunk.toString("latin1");
      this.bytes += text;
      connection.bytes += text;
      this.#takeRequests(connection);
    });
  }

  #takeRequests(connection: Recorded): void {
    for (;;) {
      const taken = this.#read(connection.bytes, connection.read);
      if (taken === undefined) return;
      if (typeof taken === "string") {
        this.faults.push(taken);
        connection.socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      connection.read = taken.end;
      this.requests.push(taken.request);
      connection.socket.write(ok);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.clear();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
