import { FRAME, FRAME_HEADER_BYTES } from "./frame-types.ts";

const SLAB_BYTES = 16 * 1024;
/** Data up to here is copied next to its frame header: cheaper than one more part in a vectored write. */
export const COPY_BYTES = 1024;

/*
 * Frames of all connections of this thread are written into one slab, one after the other, and a slab is never written twice:
 * what is given out may wait in a socket for as long as it takes. An idle connection so holds none.
 */
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabAt = 0;
const NO_BYTES = Buffer.alloc(0);

/** Frames to bytes: collects them until they are taken. */
export class FrameWriter {
  readonly #onFirst: () => void;
  #parts: Buffer[] = [];
  /** The part that is still being written: `#buffer[#from, #at)`. */
  #buffer: Buffer = NO_BYTES;
  #from = 0;
  #at = 0;
  #bytes = 0;

  /** @param onFirst called when there is something to take, once until it is taken */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All frames so far, in as few parts as possible. They are not changed any more. */
  take(): Buffer[] {
    this.#closePart();
    this.#buffer = NO_BYTES;
    this.#from = 0;
    this.#at = 0;
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    return parts;
  }

  /** Room of so many bytes from the returned offset of `buffer`; then `commit`. */
  reserve(bytes: number): number {
    if (this.#buffer !== slab || this.#at !== slabAt || this.#at + bytes > slab.length) {
      this.#closePart();
      if (slabAt + bytes > slab.length) {
        slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
        slabAt = 0;
      }
      this.#buffer = slab;
      this.#from = slabAt;
      this.#at = slabAt;
    }
    return this.#at;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  /** @param end offset in `buffer` after what was written */
  commit(end: number): void {
    const first = this.#bytes === 0;
    this.#bytes += end - this.#at;
    this.#at = end;
    slabAt = end;
    if (first) this.#onFirst();
  }

  /** A frame with a short payload. @returns the offset of the payload in `buffer`; it is written before anything else is called */
  frame(type: number, flags: number, streamId: number, length: number): number {
    const at = this.reserve(FRAME_HEADER_BYTES + length);
    writeFrameHeader(this.#buffer, at, length, type, flags, streamId);
    this.commit(at + FRAME_HEADER_BYTES + length);
    return at + FRAME_HEADER_BYTES;
  }

  /** A DATA frame; long data is not copied. */
  data(streamId: number, flags: number, data: Buffer): void {
    if (data.length <= COPY_BYTES) {
      const at = this.frame(FRAME.data, flags, streamId, data.length);
      this.#buffer.set(data, at);
      return;
    }
    const at = this.reserve(FRAME_HEADER_BYTES);
    writeFrameHeader(this.#buffer, at, data.length, FRAME.data, flags, streamId);
    this.commit(at + FRAME_HEADER_BYTES);
    this.#closePart();
    this.#parts.push(data);
    this.#bytes += data.length;
  }

  #closePart(): void {
    if (this.#at > this.#from) this.#parts.push(this.#buffer.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

export function writeFrameHeader(
  buffer: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  buffer[at] = length >>> 16;
  buffer[at + 1] = length >>> 8;
  buffer[at + 2] = length;
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  writeUint32(buffer, at + 5, streamId);
}

export function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}
