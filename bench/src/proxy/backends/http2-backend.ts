/** `node http2-backend.ts <port> <bytes> [grpc]`: answers each request over HTTP/2 with a body of that size, at as little cost as node:net allows. */
import { createServer, type Socket } from "node:net";
import { END_HEADERS, END_STREAM, frame, FrameScanner, type, grpcMessage } from "../load/http2-frames.ts";

const [port, bytes] = process.argv.slice(2, 4).map(Number);
const grpc = process.argv[4] === "grpc";
const body = grpc ? grpcMessage(bytes!) : Buffer.alloc(bytes!, "x");

/** HPACK without its table: the static one, and literals that are not indexed (RFC 7541 §6.1, §6.2.2). */
const literal = (index: number, value: string): Buffer => Buffer.from([index, value.length, ...Buffer.from(value)]);
const status200 = Buffer.from([0x88]);
const contentType = 31;
const literalOf = (index: number, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x0f, index - 15]), literal(0, value).subarray(1)]);
const head = Buffer.concat([status200, literalOf(contentType, grpc ? "application/grpc" : "text/plain")]);
const name = Buffer.from("grpc-status");
const trailers = Buffer.concat([Buffer.from([0x00, name.length]), name, Buffer.from([1, 0x30])]);

const answer = Buffer.concat([
  frame(type.headers, END_HEADERS, 0, head),
  frame(type.data, grpc ? 0 : END_STREAM, 0, body),
  ...(grpc ? [frame(type.headers, END_HEADERS | END_STREAM, 0, trailers)] : []),
]);
/** Where the stream's id stands in it. */
const idsAt = [5, 9 + head.length + 5, ...(grpc ? [9 + head.length + 9 + body.length + 5] : [])];

class Connection {
  readonly #socket: Socket;
  readonly #scanner: FrameScanner;
  /** What the peer takes at once, by RFC 9113 §6.9; its streams' own windows hold an answer. */
  #window = 65_535;
  readonly #waiting: number[] = [];
  #out: Buffer[] = [];
  #received = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#scanner = new FrameScanner(
      (kind, flags, stream, payload) => this.#onFrame(kind, flags, stream, payload),
      true,
    );
    socket.write(frame(type.settings, 0, 0, Buffer.from([0, 3, 0, 0, 4, 0])));
    socket.on("data", (chunk: Buffer) => {
      this.#scanner.push(chunk);
      this.#flush();
    });
    socket.on("error", () => socket.destroy());
  }

  #onFrame(kind: number, flags: number, stream: number, payload: Buffer): void {
    if (kind === type.data) this.#onReceived(payload.length);
    if ((kind === type.data || kind === type.headers) && (flags & END_STREAM) !== 0) this.#waiting.push(stream);
    else if (kind === type.settings && (flags & 1) === 0) this.#out.push(frame(type.settings, 1, 0));
    else if (kind === type.ping && (flags & 1) === 0) this.#out.push(frame(type.ping, 1, 0, Buffer.from(payload)));
    else if (kind === type.windowUpdate && stream === 0) this.#window += payload.readUInt32BE(0);
  }

  #onReceived(length: number): void {
    this.#received += length;
    if (this.#received < 16_384) return;
    const update = Buffer.alloc(4);
    update.writeUInt32BE(this.#received);
    this.#out.push(frame(type.windowUpdate, 0, 0, update));
    this.#received = 0;
  }

  #flush(): void {
    let answered = 0;
    while (answered < this.#waiting.length && this.#window >= body.length) {
      const copy = Buffer.from(answer);
      for (const at of idsAt) copy.writeUInt32BE(this.#waiting[answered]!, at);
      this.#out.push(copy);
      this.#window -= body.length;
      answered += 1;
    }
    this.#waiting.splice(0, answered);
    if (this.#out.length === 0) return;
    this.#socket.write(this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out));
    this.#out = [];
  }
}

createServer({ noDelay: true }, (socket) => void new Connection(socket)).listen(port, "127.0.0.1");
