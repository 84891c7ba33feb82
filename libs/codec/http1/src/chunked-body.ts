import { HeadCollector } from "./head-collector.ts";
import { HeaderBlock } from "./header-block.ts";
import { Http1Error } from "./http1-error.ts";
import { CR, hexValue, isFieldByte, LF, SEMICOLON } from "./octets.ts";

/** A chunk extension carries nothing that a proxy may use; unbounded ones were a way to exhaust servers (CVE-2024-22019). */
const MAX_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
const MAX_TRAILERS = 100;
/** 13 digits are 52 bits: exact as a number. */
const MAX_SIZE_DIGITS = 13;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const DONE = 7;

/** The chunked coding (RFC 9112 §7.1): gives slices of what came in; extensions are checked and dropped. */
export class ChunkedBody {
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailers: HeadCollector | undefined;
  #firstOfTrailers = -1;
  /** name, value, name, value …; undefined while, or where, there are none. */
  trailers: string[] | undefined;

  get done(): boolean {
    return this.#state === DONE;
  }

  /**
   * @param onData gets slices of `chunk`, not copies
   * @returns the offset after what was taken: `chunk.length`, or the end of the body when `done`
   * @throws Http1Error
   */
  read(chunk: Buffer, start: number, onData: (slice: Buffer) => void): number {
    let at = start;
    while (at < chunk.length && this.#state !== DONE) {
      if (this.#state === DATA) {
        const end = Math.min(chunk.length, at + this.#size);
        this.#size -= end - at;
        if (this.#size === 0) this.#state = DATA_CR;
        onData(chunk.subarray(at, end));
        at = end;
      } else if (this.#state === TRAILERS) {
        at = this.#readTrailers(chunk, at);
      } else {
        this.#step(chunk[at] ?? 0);
        at++;
      }
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case SIZE:
        this.#readSize(byte);
        return;
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_LF;
        else if (!isFieldByte(byte)) throw new Http1Error("a control byte in a chunk extension");
        else if (++this.#extensionBytes > MAX_EXTENSION_BYTES) {
          throw new Http1Error(`chunk extensions of more than ${MAX_EXTENSION_BYTES} bytes`);
        }
        return;
      case SIZE_LF:
        if (byte !== LF) throw new Http1Error("a chunk's size line that does not end in CRLF");
        this.#digits = 0;
        this.#state = this.#size === 0 ? TRAILERS : DATA;
        return;
      case DATA_CR:
        if (byte !== CR) throw new Http1Error("a chunk that is longer than its size");
        this.#state = DATA_LF;
        return;
      default:
        if (byte !== LF) throw new Http1Error("a chunk that does not end in CRLF");
        this.#state = SIZE;
    }
  }

  #readSize(byte: number): void {
    const digit = hexValue(byte);
    if (digit !== -1) {
      if (++this.#digits > MAX_SIZE_DIGITS) throw new Http1Error("a chunk size that is too large");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw new Http1Error("a chunk without a size");
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION;
    else throw new Http1Error("a chunk size with a byte that is no hexadecimal digit");
  }

  /** No trailers is CRLF alone; any are lines up to an empty one, as in a head. */
  #readTrailers(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#firstOfTrailers === -1) {
      this.#firstOfTrailers = chunk[at] ?? 0;
      if (this.#firstOfTrailers === CR) at++;
      else this.#trailers = new HeadCollector(MAX_TRAILER_BYTES);
    }
    if (this.#trailers === undefined) {
      if (at === chunk.length) return at;
      if (chunk[at] !== LF) throw new Http1Error("a body that does not end in CRLF");
      this.#state = DONE;
      return at + 1;
    }
    const end = this.#trailers.take(chunk, at);
    if (end === -1) return chunk.length;
    const block = new HeaderBlock();
    block.read(this.#trailers.text, 0, MAX_TRAILERS);
    this.trailers = block.headers;
    this.#state = DONE;
    return end;
  }
}
