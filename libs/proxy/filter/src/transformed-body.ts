import { Transform } from "node:stream";
import type { HeaderMap } from "@fairlead/proxy-stream";

/** A stream that makes another body of a body, and that may be used for more than one. */
export interface BodyTransform {
  readonly stream: Transform;
  /** Gives out the rest. @param done called when all of it was told */
  finish(done: () => void): void;
  /** It is not needed any more. @default nothing: what is taken by the `pools` of a request goes back with its end */
  release?(): void;
}

/** Ends with the body that it has made. */
export function usedOnce(stream: Transform): BodyTransform {
  return {
    stream,
    finish(done) {
      stream.once("end", done);
      stream.end();
    },
    release() {
      stream.destroy();
    },
  };
}

/** Where a changed body goes. */
export interface BodyOutput {
  onTransformedData(chunk: Buffer, endStream: boolean): void;
  onTransformedTrailers(trailers: HeaderMap): void;
  /** It cannot be completed. */
  onTransformFailure(): void;
  /** It has enough to do: nothing more should come for now. */
  onTransformBlocked(blocked: boolean): void;
}

const NO_BYTES = Buffer.alloc(0);

/** The body of a response on its way through a stream that makes another one of it, as much at a time as that takes. */
export class TransformedBody {
  readonly #transform: BodyTransform;
  readonly #output: BodyOutput;
  readonly #onData = (chunk: Buffer): void => this.#output.onTransformedData(chunk, false);
  readonly #onDrain = (): void => this.#setBlocked(false);
  readonly #onError = (): void => {
    if (!this.#over) this.#output.onTransformFailure();
  };
  #finished = false;
  #over = false;
  blocked = false;

  constructor(transform: Transform | BodyTransform, output: BodyOutput) {
    this.#transform = transform instanceof Transform ? usedOnce(transform) : transform;
    this.#output = output;
    const { stream } = this.#transform;
    stream.on("data", this.#onData);
    stream.on("drain", this.#onDrain);
    stream.on("error", this.#onError);
  }

  write(chunk: Buffer, endStream: boolean): void {
    if (chunk.length > 0 && !this.#transform.stream.write(chunk) && !endStream) this.#setBlocked(true);
    if (endStream) this.#finish(() => this.#output.onTransformedData(NO_BYTES, true));
  }

  end(trailers: HeaderMap): void {
    this.#finish(() => this.#output.onTransformedTrailers(trailers));
  }

  /** Its stream has ended, well or not. */
  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    const { stream } = this.#transform;
    stream.off("data", this.#onData);
    stream.off("drain", this.#onDrain);
    // What it is still at may fail, which is nobody's concern: where it goes on with another body, it is not at anything.
    if (this.#finished) stream.off("error", this.#onError);
    this.#transform.release?.();
  }

  #finish(tell: () => void): void {
    this.#transform.finish(() => {
      if (this.#over) return;
      this.#finished = true;
      tell();
    });
  }

  #setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.#output.onTransformBlocked(blocked);
  }
}
