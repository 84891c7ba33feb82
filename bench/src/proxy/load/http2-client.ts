import { connect, type Socket } from "node:net";
import { END_HEADERS, END_STREAM, frame, FrameScanner, grpcMessage, PREFACE, type } from "./http2-frames.ts";
import type { ConnectClient, LoadClient, LoadClientEvents } from "./load-client.ts";

export interface Http2Target {
  readonly port: number;
  readonly authority: string;
  readonly outstanding: number;
  /** undefined: GET; else the bytes of a unary call's message. */
  readonly grpcBytes?: number | undefined;
}

const HEADER_TABLE_SIZE = 1;
const MAX_STREAMS = 3;
const INITIAL_WINDOW = 4;
const LARGE_WINDOW = 0x3f_ff_ff_ff;
const RENEW_AT = 0x10_00_00_00;

/** A literal with incremental indexing (RFC 7541 §6.2.1), its name from the static table or spelt out. */
function indexed(name: number | string, value: string): Buffer {
  const text = (words: string): Buffer => Buffer.concat([Buffer.from([words.length]), Buffer.from(words)]);
  const start =
    typeof name === "number" ? Buffer.from([0x40 | name]) : Buffer.concat([Buffer.from([0x40]), text(name)]);
  return Buffer.concat([start, text(value)]);
}

/**
 * A request's headers as a client sends them: the first time it spells them out and has them kept, afterwards it names their
 * places in the table, the newest at 62.
 */
function headerBlocks(target: Http2Target): { readonly first: Buffer; readonly next: Buffer } {
  const grpc = target.grpcBytes !== undefined;
  const spelt = [
    indexed(4, grpc ? `/${target.authority}/Call` : "/items?id=1"),
    indexed(1, target.authority),
    indexed(58, "bench"),
    ...(grpc ? [indexed(31, "application/grpc"), indexed("te", "trailers")] : [indexed(19, "*/*")]),
  ];
  const pseudo = Buffer.from([grpc ? 0x83 : 0x82, 0x86]);
  const places = spelt.map((_line, i) => 0x80 | (62 + spelt.length - 1 - i));
  return { first: Buffer.concat([pseudo, ...spelt]), next: Buffer.concat([pseudo, Buffer.from(places)]) };
}

/** Resolves when the peer has said what it takes. */
export function http2Client(target: Http2Target): ConnectClient {
  return async (events) =>
    await new Promise((resolve, reject) => {
      const socket = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
      const connection = new Http2LoadClient(socket, target, events, resolve);
      socket.on("connect", () => connection.begin());
      socket.on("error", (error) => {
        reject(error);
        events.onError(error);
      });
      socket.on("end", () => events.onError(new Error(`port ${target.port} closed a connection`)));
    });
}

class Http2LoadClient implements LoadClient {
  readonly capacity: number;
  readonly #socket: Socket;
  readonly #events: LoadClientEvents;
  readonly #ready: (client: LoadClient) => void;
  readonly #blocks: { readonly first: Buffer; readonly next: Buffer };
  readonly #body: Buffer | undefined;
  /** By the stream's number, modulo. */
  readonly #startedMs: Float64Array;
  #nextStream = 1;
  #known = false;
  #received = 0;
  #window = 65_535;
  #out: Buffer[] = [];
  #scheduled = false;

  constructor(socket: Socket, target: Http2Target, events: LoadClientEvents, ready: (client: LoadClient) => void) {
    this.#socket = socket;
    this.#events = events;
    this.#ready = ready;
    this.capacity = target.outstanding;
    this.#blocks = headerBlocks(target);
    this.#body = target.grpcBytes === undefined ? undefined : grpcMessage(target.grpcBytes);
    this.#startedMs = new Float64Array(65_536);
    const scanner = new FrameScanner((kind, flags, stream, payload) => this.#onFrame(kind, flags, stream, payload));
    socket.on("data", (chunk: Buffer) => scanner.push(chunk));
  }

  begin(): void {
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(INITIAL_WINDOW, 0);
    settings.writeUInt32BE(LARGE_WINDOW, 2);
    this.#write(Buffer.concat([PREFACE, frame(type.settings, 0, 0, settings)]));
    this.#grant(LARGE_WINDOW);
  }

  send(startedMs: number): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#startedMs[(stream >> 1) & 65_535] = startedMs;
    const block = this.#known ? this.#blocks.next : this.#blocks.first;
    this.#known = true;
    const body = this.#body;
    this.#write(frame(type.headers, body === undefined ? END_HEADERS | END_STREAM : END_HEADERS, stream, block));
    if (body === undefined) return;
    this.#window -= body.length;
    if (this.#window < 0) this.#events.onError(new Error("the peer's window is too small for these calls"));
    this.#write(frame(type.data, END_STREAM, stream, body));
  }

  close(): void {
    this.#socket.destroy();
  }

  #onFrame(kind: number, flags: number, stream: number, payload: Buffer): void {
    if (kind === type.data || kind === type.headers) {
      if (kind === type.data) this.#onReceived(payload.length);
      // Indexed 200 stands first, or after a change of the table's size; a trailer of gRPC is no head.
      else if ((flags & END_STREAM) === 0 && !isOkay(payload)) {
        this.#fail(`a head of ${payload.toString("hex")}`);
        return;
      }
      if ((flags & END_STREAM) !== 0) this.#events.onAnswer(this, this.#startedMs[(stream >> 1) & 65_535]!);
    } else if (kind === type.settings && (flags & 1) === 0) this.#onSettings(payload);
    else if (kind === type.ping && (flags & 1) === 0) this.#write(frame(type.ping, 1, 0, Buffer.from(payload)));
    else if (kind === type.windowUpdate && stream === 0) this.#window += payload.readUInt32BE(0);
    else if (kind === type.rst || kind === type.goaway) this.#fail(kind === type.rst ? "RST_STREAM" : "GOAWAY");
  }

  #onSettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const [id, value] = [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
      if (id === MAX_STREAMS && value < this.capacity) this.#fail(`only ${value} streams a connection`);
      if (id === HEADER_TABLE_SIZE && value < 4096) this.#fail("a header table that is smaller than 4096 bytes");
    }
    this.#write(frame(type.settings, 1, 0));
    this.#ready(this);
  }

  #onReceived(length: number): void {
    this.#received += length;
    if (this.#received < RENEW_AT) return;
    this.#grant(this.#received);
    this.#received = 0;
  }

  #grant(bytes: number): void {
    const update = Buffer.alloc(4);
    update.writeUInt32BE(bytes);
    this.#write(frame(type.windowUpdate, 0, 0, update));
  }

  #write(bytes: Buffer): void {
    this.#out.push(bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      const out = this.#out;
      this.#out = [];
      this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
    });
  }

  #fail(what: string): void {
    this.#events.onError(new Error(`the proxy answered ${what}`));
  }
}

function isOkay(block: Buffer): boolean {
  let at = 0;
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += (block[at]! & 0x1f) === 0x1f ? 3 : 1;
  return block[at] === 0x88;
}
