/** Frames of HTTP/2 (RFC 9113 §4.1), as far as a load generator needs them: what it sends is prepared, what it gets is counted. */
export const type = { data: 0, headers: 1, rst: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

const NOTHING = Buffer.alloc(0);

/** @param stream may be 0 and be written over: it stands at byte 5 */
export function frame(kind: number, flags: number, stream: number, payload: Buffer = NOTHING): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = kind;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, 9);
  return bytes;
}

/** A message of gRPC: not compressed, its length, itself. */
export function grpcMessage(bytes: number): Buffer {
  const message = Buffer.alloc(5 + bytes, "x");
  message[0] = 0;
  message.writeUInt32BE(bytes, 1);
  return message;
}

/** Finds the frames in bytes that come in any pieces. */
export class FrameScanner {
  readonly #onFrame: (kind: number, flags: number, stream: number, payload: Buffer) => void;
  #rest: Buffer = NOTHING;
  #preface: boolean;

  /** @param preface true = of a client: its preface comes first */
  constructor(onFrame: (kind: number, flags: number, stream: number, payload: Buffer) => void, preface = false) {
    this.#onFrame = onFrame;
    this.#preface = preface;
  }

  /** @param chunk is read at once; payloads are slices of it */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (this.#preface && bytes.length >= PREFACE.length) {
      this.#preface = false;
      at = PREFACE.length;
    }
    while (!this.#preface && bytes.length - at >= 9) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < 9 + length) break;
      this.#onFrame(
        bytes[at + 3]!,
        bytes[at + 4]!,
        bytes.readUInt32BE(at + 5),
        bytes.subarray(at + 9, at + 9 + length),
      );
      at += 9 + length;
    }
    // A copy: the chunk is the caller's.
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }
}
