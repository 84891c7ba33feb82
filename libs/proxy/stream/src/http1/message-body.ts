import type { HeaderMap } from "../header-map.ts";
import type { SocketWriter } from "../socket-writer.ts";

const CHUNKED = -1;
const NONE = -2;
const RAW = -3;

/** Of digits alone: `Number` is a call out of compiled code, and there is one for each message. */
function numberOf(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number(text);
    value = value * 10 + digit;
  }
  return value;
}

/** The body of one outgoing message: by its length, in chunks, or none at all. */
export class MessageBody {
  readonly #writer: SocketWriter;
  /** Bytes that are still to come, or `CHUNKED`, `NONE`, `RAW`. */
  #remaining: number;

  private constructor(writer: SocketWriter, remaining: number) {
    this.#writer = writer;
    this.#remaining = remaining;
  }

  /** @param contentLength of the head's own header; undefined = chunked */
  static of(writer: SocketWriter, contentLength: string | undefined): MessageBody {
    return new MessageBody(writer, contentLength === undefined ? CHUNKED : numberOf(contentLength));
  }

  /** For responses that have no body: what is sent is dropped. */
  static none(writer: SocketWriter): MessageBody {
    return new MessageBody(writer, NONE);
  }

  /** For what has no frame: it ends with the connection's half. */
  static raw(writer: SocketWriter): MessageBody {
    return new MessageBody(writer, RAW);
  }

  /** @returns false when it does not agree with the head's length: the connection is of no use then */
  write(chunk: Buffer, end: boolean, unshared: boolean): boolean {
    if (this.#remaining === NONE) return true;
    if (this.#remaining === CHUNKED) {
      this.#writeChunk(chunk, end, unshared);
      return true;
    }
    if (this.#remaining === RAW) {
      if (chunk.length > 0) this.#writer.write(chunk, unshared);
      return true;
    }
    if (chunk.length > this.#remaining) return false;
    this.#remaining -= chunk.length;
    if (chunk.length > 0) this.#writer.write(chunk, unshared);
    return !end || this.#remaining === 0;
  }

  /** @returns false where the body is not in chunks: there is no place for them */
  writeTrailers(trailers: HeaderMap, write: (text: string) => void): boolean {
    if (this.#remaining !== CHUNKED) return false;
    let text = "0\r\n";
    const { fields } = trailers;
    for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
    write(`${text}\r\n`);
    return true;
  }

  #writeChunk(chunk: Buffer, end: boolean, unshared: boolean): void {
    if (chunk.length > 0) {
      this.#writer.write(`${chunk.length.toString(16)}\r\n`);
      this.#writer.write(chunk, unshared);
      this.#writer.write(end ? "\r\n0\r\n\r\n" : "\r\n");
    } else if (end) this.#writer.write("0\r\n\r\n");
  }
}

export const NO_BYTES = Buffer.alloc(0);
