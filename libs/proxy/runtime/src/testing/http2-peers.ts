import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";

/** A server of node:http2: another implementation to talk to. */
export class Http2Backend implements AsyncDisposable {
  readonly port: number;
  readonly sessions = new Set<ServerHttp2Session>();
  /** Connections so far. */
  connections = 0;
  requests = 0;
  readonly #server: Http2Server;

  private constructor(server: Http2Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(
    handler: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
    settings: Settings = {},
  ): Promise<Http2Backend> {
    const server = createServer({ settings });
    server.on("session", (session) => {
      backend.connections++;
      backend.sessions.add(session);
      session.on("close", () => backend.sessions.delete(session));
      session.on("error", () => undefined);
    });
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      backend.requests++;
      stream.on("error", () => undefined);
      handler(stream, headers);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not bound");
    const backend: Http2Backend = new Http2Backend(server, address.port);
    return backend;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** A client of node:http2 with one connection. */
export class Http2Caller implements Disposable {
  readonly session: ClientHttp2Session;
  readonly goAways: number[] = [];

  constructor(port: number, settings: Settings = {}) {
    this.session = connect(`http://127.0.0.1:${port}`, { settings });
    this.session.on("error", () => undefined);
    this.session.on("goaway", (code) => this.goAways.push(code));
  }

  /** @param body as one or more chunks; then the trailers, if there are any */
  call(
    headers: OutgoingHttpHeaders,
    body: readonly (string | Buffer)[] = [],
    trailers?: OutgoingHttpHeaders,
  ): Promise<Http2Answer> {
    return new Promise((resolve, reject) => {
      const ends = body.length === 0 && trailers === undefined;
      const stream = this.session.request(headers, { endStream: ends, waitForTrailers: trailers !== undefined });
      let answer: IncomingHttpHeaders = {};
      let ending: IncomingHttpHeaders | undefined;
      const chunks: Buffer[] = [];
      stream.on("response", (response) => (answer = response));
      stream.on("trailers", (response) => (ending = response));
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
      stream.on("error", reject);
      stream.on("close", () => {
        const status = Number(answer[":status"] ?? 0);
        if (stream.rstCode !== 0) reject(new Error(`reset with ${stream.rstCode}`));
        else resolve({ status, headers: answer, body: Buffer.concat(chunks).toString("latin1"), trailers: ending });
      });
      for (const chunk of body) stream.write(chunk);
      if (!ends) stream.end();
    });
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}
