import { Transform, type TransformCallback } from "node:stream";

/** How often bytes are let through. */
const TICK_MS = 50;

/** Lets so many bytes through in a second, as a slow network would. */
export class ThrottledBody extends Transform {
  readonly #bytesPerTick: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param kibibytesPerSecond at least 1 */
  constructor(kibibytesPerSecond: number) {
    super();
    this.#bytesPerTick = Math.max(1, Math.floor((kibibytesPerSecond * 1024 * TICK_MS) / 1000));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#let(chunk, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  #let(chunk: Buffer, done: TransformCallback): void {
    this.#timer = setTimeout(() => {
      this.push(chunk.subarray(0, this.#bytesPerTick));
      if (chunk.length > this.#bytesPerTick) this.#let(chunk.subarray(this.#bytesPerTick), done);
      else done();
    }, TICK_MS);
  }
}
