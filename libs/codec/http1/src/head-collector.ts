import { Http1Error } from "./http1-error.ts";
import { CR, LF } from "./octets.ts";

const END_OF_HEAD = Buffer.from("\r\n\r\n", "latin1");

/**
 * Finds the end of a head that may arrive in any number of pieces.
 *
 * A head that lies in one chunk, the common case, is read where it lies. Only a split one is copied, into a buffer
 * that doubles up to the limit, so that one byte at a time costs no more than linear work.
 */
export class HeadCollector {
  readonly #maxBytes: number;
  #partial: Buffer | undefined;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a part of a head has been seen. */
  get started(): boolean {
    return this.#length > 0;
  }

  /** The head without its empty line, after `take` returned a count; see there. */
  text = "";

  /**
   * Takes the bytes of a head out of `chunk` from `start`.
   *
   * @returns the offset after the head, with the head in `text`; -1 when all was taken and the head is not complete
   * @throws Http1Error when it is too large, or holds a LF without CR (then no end would ever be found)
   */
  take(chunk: Buffer, start: number): number {
    if (this.#length === 0) {
      const end = chunk.indexOf(END_OF_HEAD, start);
      if (end !== -1) {
        this.#check(end + 4 - start);
        this.text = chunk.toString("latin1", start, end);
        return end + 4;
      }
    }
    return this.#takePart(chunk, start);
  }

  #takePart(chunk: Buffer, start: number): number {
    const before = this.#length;
    const taken = Math.min(chunk.length - start, this.#maxBytes + 1 - before);
    const buffer = this.#reserve(before + taken);
    chunk.copy(buffer, before, start, start + taken);
    this.#length = before + taken;
    const end = buffer.subarray(0, this.#length).indexOf(END_OF_HEAD, Math.max(0, before - 3));
    const scanTo = end === -1 ? this.#length : end;
    for (let i = before; i < scanTo; i++) {
      if (buffer[i] === LF && (i === 0 || buffer[i - 1] !== CR))
        throw new Http1Error("a line that ends in LF without CR");
    }
    this.#check(end === -1 ? this.#length : end + 4);
    if (end === -1) return -1;
    this.text = buffer.toString("latin1", 0, end);
    this.#partial = undefined;
    this.#length = 0;
    return start + (end + 4 - before);
  }

  #reserve(bytes: number): Buffer {
    const partial = this.#partial;
    if (partial !== undefined && partial.length >= bytes) return partial;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, (partial?.length ?? 512) * 2));
    partial?.copy(grown, 0, 0, this.#length);
    this.#partial = grown;
    return grown;
  }

  #check(bytes: number): void {
    if (bytes > this.#maxBytes) {
      throw new Http1Error(`a head of more than ${this.#maxBytes} bytes`, {
        status: 431,
        details: "http1.headers_too_large",
      });
    }
  }
}
