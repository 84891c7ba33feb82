import { DEFAULT_MAX_FRAME_BYTES, FLAG, FRAME, FRAME_HEADER_BYTES } from "./frame-types.ts";
import { frameSizeError, protocolError } from "./http2-error.ts";

const NO_BYTES = Buffer.alloc(0);

export interface FrameSink {
  /** Nothing is read any more, not even the rest of what came: the connection may be closed by what it is told. */
  readonly ended: boolean;
  /** The header of a frame, before its payload has come. Throws for a frame that may not come now. */
  onFrameHeader(type: number, flags: number, streamId: number, length: number): void;
  /** A frame other than DATA. Its payload is `bytes[start, end)`, valid during the call only. */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
  /** A part of a DATA frame's data, as it comes, without padding. @param frameDone with this part the frame is complete */
  onData(slice: Buffer, frameDone: boolean): void;
}

const HEADER = 0;
const PAYLOAD = 1;
const PAD_LENGTH = 2;
const DATA = 3;
const PADDING = 4;

/** Bytes to frames. Frames that are whole in one read are read in place; DATA is never collected. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #state = HEADER;
  /** Bytes of the header, or of a payload that comes in parts, which are there. */
  #have = 0;
  #held: Buffer | undefined;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of payload, or of data, that are still to come. */
  #remaining = 0;
  #padding = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** A frame has begun that is not DATA: it must not take for ever. */
  get midFrame(): boolean {
    return this.#state === PAYLOAD || (this.#state === HEADER && this.#have > 0);
  }

  /** @throws Http2Error; the reader is of no use after it */
  execute(chunk: Buffer, start: number): void {
    let at = start;
    while (at < chunk.length && !this.#sink.ended) {
      switch (this.#state) {
        case HEADER:
          at = this.#readHeader(chunk, at);
          break;
        case PAYLOAD:
          at = this.#readPayload(chunk, at);
          break;
        case PAD_LENGTH:
          this.#readPadLength(chunk[at] ?? 0);
          at++;
          break;
        case DATA:
          at = this.#readData(chunk, at);
          break;
        default:
          at = this.#skipPadding(chunk, at);
      }
    }
  }

  #readHeader(chunk: Buffer, start: number): number {
    let bytes = chunk;
    let at = start;
    let end = start + FRAME_HEADER_BYTES;
    if (this.#have > 0 || end > chunk.length) {
      const taken = Math.min(FRAME_HEADER_BYTES - this.#have, chunk.length - start);
      chunk.copy(this.#header, this.#have, start, start + taken);
      this.#have += taken;
      end = start + taken;
      if (this.#have < FRAME_HEADER_BYTES) return end;
      this.#have = 0;
      bytes = this.#header;
      at = 0;
    }
    const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    this.#type = bytes[at + 3] ?? 0;
    this.#flags = bytes[at + 4] ?? 0;
    this.#streamId =
      (((bytes[at + 5] ?? 0) & 0x7f) << 24) |
      ((bytes[at + 6] ?? 0) << 16) |
      ((bytes[at + 7] ?? 0) << 8) |
      (bytes[at + 8] ?? 0);
    if (length > DEFAULT_MAX_FRAME_BYTES) throw frameSizeError(`a frame of ${length} bytes`);
    this.#sink.onFrameHeader(this.#type, this.#flags, this.#streamId, length);
    this.#begin(length);
    return end;
  }

  #begin(length: number): void {
    this.#remaining = length;
    this.#padding = 0;
    if (this.#type !== FRAME.data) {
      if (length === 0) this.#sink.onFrame(this.#type, this.#flags, this.#streamId, NO_BYTES, 0, 0);
      else this.#state = PAYLOAD;
    } else if ((this.#flags & FLAG.padded) !== 0) {
      if (length === 0) throw frameSizeError("a padded DATA frame without room for its pad length");
      this.#state = PAD_LENGTH;
    } else if (length === 0) this.#sink.onData(NO_BYTES, true);
    else this.#state = DATA;
  }

  #readPayload(chunk: Buffer, start: number): number {
    const length = this.#remaining;
    if (this.#held === undefined && start + length <= chunk.length) {
      this.#state = HEADER;
      this.#sink.onFrame(this.#type, this.#flags, this.#streamId, chunk, start, start + length);
      return start + length;
    }
    const held = (this.#held ??= Buffer.allocUnsafe(length));
    const taken = Math.min(length - this.#have, chunk.length - start);
    chunk.copy(held, this.#have, start, start + taken);
    this.#have += taken;
    if (this.#have === length) {
      this.#state = HEADER;
      this.#have = 0;
      this.#held = undefined;
      this.#sink.onFrame(this.#type, this.#flags, this.#streamId, held, 0, length);
    }
    return start + taken;
  }

  /** RFC 9113 §6.1: padding that takes all of the payload, or more, is an error. */
  #readPadLength(padding: number): void {
    const rest = this.#remaining - 1;
    if (padding > rest) throw protocolError(`${padding} bytes of padding in a DATA frame of ${this.#remaining}`);
    this.#padding = padding;
    this.#remaining = rest - padding;
    if (this.#remaining > 0) this.#state = DATA;
    else if (padding > 0) this.#state = PADDING;
    else this.#endData(NO_BYTES);
  }

  #readData(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#remaining);
    const slice = chunk.subarray(start, end);
    this.#remaining -= slice.length;
    if (this.#remaining > 0) this.#sink.onData(slice, false);
    else if (this.#padding === 0) this.#endData(slice);
    else {
      this.#state = PADDING;
      this.#sink.onData(slice, false);
    }
    return end;
  }

  #skipPadding(chunk: Buffer, start: number): number {
    const taken = Math.min(this.#padding, chunk.length - start);
    this.#padding -= taken;
    if (this.#padding === 0) this.#endData(NO_BYTES);
    return start + taken;
  }

  #endData(slice: Buffer): void {
    this.#state = HEADER;
    this.#sink.onData(slice, true);
  }
}
