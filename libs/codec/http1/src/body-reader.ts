import { ChunkedBody } from "./chunked-body.ts";
import { dropHeader } from "./header-block.ts";
import { type BodyFraming, CHUNKED, UNTIL_CLOSE } from "./message-head.ts";

export interface BodySink {
  /** A slice of the bytes that came in, not a copy. */
  onData(slice: Buffer): void;
  onEnd(): void;
  /** Ends the message instead of `onEnd`, where trailers are asked for and there are any. name, value, name, value … */
  onTrailers?(trailers: string[]): void;
}

const NONE = 0;
const LENGTH = 1;
const CHUNKS = 2;
const CLOSE = 3;

/** Finds the end of one body after the other, whichever way its head frames it. */
export class BodyReader {
  readonly #sink: BodySink;
  readonly #onData: (slice: Buffer) => void;
  readonly #takesTrailers: boolean;
  #state = NONE;
  #remaining = 0;
  #chunks: ChunkedBody | undefined;

  /** @param trailers the sink is told of them. @default false */
  constructor(sink: BodySink, trailers = false) {
    this.#sink = sink;
    this.#takesTrailers = trailers;
    this.#onData = (slice) => sink.onData(slice);
  }

  /** Whether a body has begun and not ended. */
  get active(): boolean {
    return this.#state !== NONE;
  }

  /** After a head. @returns true when there is no body: the message is complete, which `onEnd` has been told */
  begin(framing: BodyFraming): boolean {
    if (framing === 0) {
      this.#sink.onEnd();
      return true;
    }
    if (framing === CHUNKED) {
      this.#chunks = new ChunkedBody();
      this.#state = CHUNKS;
    } else if (framing === UNTIL_CLOSE) {
      this.#state = CLOSE;
    } else {
      this.#remaining = framing;
      this.#state = LENGTH;
    }
    return false;
  }

  /**
   * Reads up to the end of the body, never past it.
   *
   * @returns the offset after what was read
   * @throws Http1Error
   */
  read(chunk: Buffer, start: number): number {
    switch (this.#state) {
      case LENGTH:
        return this.#readLength(chunk, start);
      case CHUNKS:
        return this.#readChunks(chunk, start);
      default:
        this.#sink.onData(start === 0 ? chunk : chunk.subarray(start));
        return chunk.length;
    }
  }

  /** The connection has ended. @returns true when that was the end of the body, which `onEnd` has been told */
  finish(): boolean {
    if (this.#state !== CLOSE) return false;
    this.#end();
    return true;
  }

  #readLength(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#remaining);
    this.#remaining -= end - start;
    this.#sink.onData(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end));
    if (this.#remaining === 0) this.#end();
    return end;
  }

  #readChunks(chunk: Buffer, start: number): number {
    const chunks = this.#chunks!;
    const end = chunks.read(chunk, start, this.#onData);
    if (chunks.done) {
      this.#chunks = undefined;
      const trailers = this.#takesTrailers ? withoutFraming(chunks.trailers) : undefined;
      if (trailers === undefined) this.#end();
      else {
        this.#state = NONE;
        this.#sink.onTrailers?.(trailers);
      }
    }
    return end;
  }

  #end(): void {
    this.#state = NONE;
    this.#sink.onEnd();
  }
}

/** A length is of what comes before the body (RFC 9110 §6.5.1). @returns undefined when nothing is left */
function withoutFraming(trailers: string[] | undefined): string[] | undefined {
  if (trailers === undefined) return undefined;
  dropHeader(trailers, "content-length");
  return trailers.length === 0 ? undefined : trailers;
}
