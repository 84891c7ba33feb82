import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Counters } from "./counters.ts";
import { GrpcMessages } from "./grpc-messages.ts";
import type { SimulatedProxy } from "./simulated-proxy.ts";
import { path, type Variant } from "./variant.ts";

export interface ProxyConnectionOptions {
  readonly port: number;
  readonly variant: Variant;
  /** Their streams share the connection. */
  readonly proxies: readonly SimulatedProxy[];
  readonly counters: Counters;
}

/** As Envoy's are, large: what is measured is the server, not the client's flow control. */
const windowBytes = 16 * 1024 * 1024;
/** Less than any mesh takes: the first response closes the window. */
const silentWindowBytes = 1024;
const minPauseMs = 200;
const maxPauseMs = 2000;

/** One TCP connection with the streams of one or more proxies; it is made again whenever it is lost. */
export class ProxyConnection {
  readonly #options: ProxyConnectionOptions;
  #session: ClientHttp2Session | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: ProxyConnectionOptions) {
    this.#options = options;
  }

  get #silent(): boolean {
    return this.#options.proxies.every(({ behaviour }) => behaviour === "silent");
  }

  open(): void {
    const { port, proxies } = this.#options;
    const session = connect(`http://127.0.0.1:${port}`, {
      settings: { enablePush: false, initialWindowSize: this.#silent ? silentWindowBytes : windowBytes },
    });
    this.#session = session;
    // What goes wrong ends in `close`.
    session.on("error", () => undefined);
    session.on("close", () => this.#again(() => this.open()));
    session.on("connect", () => {
      if (!this.#silent) session.setLocalWindowSize(windowBytes);
      for (const proxy of proxies) this.#stream(session, proxy);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#session?.destroy();
  }

  #stream(session: ClientHttp2Session, proxy: SimulatedProxy): void {
    if (this.#closed || session.closed || session.destroyed) return;
    const stream = session.request({
      ":method": "POST",
      ":path": path(this.#options.variant),
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => undefined);
    // A server that ends the stream leaves this side open.
    stream.on("end", () => stream.close());
    stream.on("close", () => {
      proxy.end();
      if (!session.closed && !session.destroyed) this.#again(() => this.#stream(session, proxy));
    });
    if (proxy.behaviour !== "silent") this.#read(stream, proxy);
    proxy.begin((request) => stream.write(request));
  }

  #read(stream: ClientHttp2Stream, proxy: SimulatedProxy): void {
    const messages = new GrpcMessages();
    const receive = (message: Buffer) => {
      this.#failures = 0;
      proxy.receive(message);
    };
    stream.on("data", (piece: Buffer) => messages.push(piece, receive));
  }

  /** After a pause that grows with each failure, and differs from client to client. */
  #again(open: () => void): void {
    if (this.#closed) return;
    if (this.#silent) this.#options.counters.cut += 1;
    else this.#options.counters.lost += 1;
    const limit = Math.min(maxPauseMs, minPauseMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(open, limit * (0.5 + Math.random() / 2));
  }
}
