import { connect, type Socket } from "node:net";

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

export const greeting = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"),
  frame(FRAME.settings, 0, 0),
]);

/** @param headers name, value, name, value …, in latin1: literals without index and Huffman, so that any byte can be sent */
export function headerBlock(headers: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    parts.push(Buffer.of(0));
    for (const text of [headers[i] ?? "", headers[i + 1] ?? ""]) {
      const bytes = Buffer.from(text, "latin1");
      parts.push(integer(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** RFC 7541 §5.1 with a prefix of 7 bits. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** @param body frames of data; the last ends the request, or the head does when there are none */
export function request(streamId: number, headers: readonly string[], body: readonly string[] = []): Buffer {
  const head = frame(FRAME.headers, END_HEADERS | (body.length === 0 ? END_STREAM : 0), streamId, headerBlock(headers));
  const data = body.map((text, i) =>
    frame(FRAME.data, i === body.length - 1 ? END_STREAM : 0, streamId, Buffer.from(text, "latin1")),
  );
  return Buffer.concat([head, ...data]);
}

/** A client of HTTP/2 that sends what it is given and keeps the frames that come back. */
export class RawHttp2Client implements Disposable {
  readonly frames: RawFrame[] = [];
  closed = false;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => (this.closed = true));
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** How a stream ended: the code of its RST_STREAM, or `response`; undefined while it is open. */
  endOf(streamId: number): number | "response" | undefined {
    const reset = this.frames.find(({ type, streamId: id }) => type === FRAME.reset && id === streamId);
    if (reset !== undefined) return reset.payload.readUInt32BE(0);
    const ended = this.frames.some(
      ({ type, flags, streamId: id }) =>
        id === streamId && (type === FRAME.data || type === FRAME.headers) && (flags & END_STREAM) !== 0,
    );
    return ended ? "response" : undefined;
  }

  #read(chunk: Buffer): void {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      this.frames.push({
        type: rest[3] ?? 0,
        flags: rest[4] ?? 0,
        streamId: rest.readUInt32BE(5) & 0x7fffffff,
        payload: Buffer.from(rest.subarray(9, 9 + length)),
      });
      rest = rest.subarray(9 + length);
    }
    this.#rest = rest;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
