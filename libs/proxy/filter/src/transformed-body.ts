import type { Transform } from "node:stream";
import type { HeaderMap } from "@fairlead/proxy-stream";

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
  readonly #transform: Transform;
  readonly #output: BodyOutput;
  #trailers: HeaderMap | undefined;
  blocked = false;

  constructor(transform: Transform, output: BodyOutput) {
    this.#transform = transform;
    this.#output = output;
    transform.on("data", (chunk: Buffer) => output.onTransformedData(chunk, false));
    transform.on("end", () => {
      if (this.#trailers === undefined) output.onTransformedData(NO_BYTES, true);
      else output.onTransformedTrailers(this.#trailers);
    });
    transform.on("error", () => output.onTransformFailure());
    transform.on("drain", () => this.#setBlocked(false));
  }

  write(chunk: Buffer, endStream: boolean): void {
    if (chunk.length > 0 && !this.#transform.write(chunk) && !endStream) this.#setBlocked(true);
    if (endStream) this.#transform.end();
  }

  end(trailers: HeaderMap): void {
    this.#trailers = trailers;
    this.#transform.end();
  }

  destroy(): void {
    this.#transform.removeAllListeners();
    this.#transform.on("error", () => undefined);
    this.#transform.destroy();
  }

  #setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.#output.onTransformBlocked(blocked);
  }
}
