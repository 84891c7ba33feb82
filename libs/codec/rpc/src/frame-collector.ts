import { defaultFrameLimits, type FrameLimits } from "./frame-limits.ts";
import { rpcError } from "./rpc-error.ts";

/** How a protocol says where its frames end. */
export interface FrameLayout {
  readonly name: string;
  /** With so many bytes `lengthOf` knows the length of any frame. */
  readonly headBytes: number;
  /**
   * @param available bytes from `at` on
   * @returns bytes of the frame that begins at `at`, head included; 0 when its head is not all there
   * @throws FairleadError FL_RPC_MALFORMED when no frame begins there
   */
  lengthOf(bytes: Buffer, at: number, available: number): number;
}

const firstCapacity = 4096;

/**
 * Makes frames of what comes in, in whatever pieces. A frame that lies in one piece is a slice of it; only one that does not is copied,
 * into a buffer that grows with what has come in and not with what a head promises.
 *
 *   piece:  ……tail of A][ B ][ C ][ D, begun………
 *             └ collected   └ slices └ collected
 */
export class FrameCollector {
  readonly #layout: FrameLayout;
  readonly #maxFrameBytes: number;
  #collected: Buffer | undefined;
  #size = 0;
  /** Of the frame that is being collected; 0 = not known yet. */
  #length = 0;

  constructor(layout: FrameLayout, limits: FrameLimits = defaultFrameLimits) {
    this.#layout = layout;
    this.#maxFrameBytes = limits.maxFrameBytes;
  }

  /** Bytes of a frame that is not complete. */
  get heldBytes(): number {
    return this.#size;
  }

  /**
   * @param onFrame gets each frame that is complete, in order
   * @throws FairleadError FL_RPC_MALFORMED, FL_RPC_TOO_LARGE: the connection cannot go on
   */
  execute(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = this.#size === 0 ? 0 : this.#complete(chunk, onFrame);
    while (at < chunk.length) {
      const available = chunk.length - at;
      const length = this.#lengthOf(chunk, at, available);
      if (length === 0 || length > available) {
        this.#length = length;
        this.#append(chunk, at, chunk.length);
        return;
      }
      const end = at + length;
      onFrame(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
      at = end;
    }
  }

  /** Adds to the frame that is being collected. @returns how much of the chunk it took */
  #complete(chunk: Buffer, onFrame: (frame: Buffer) => void): number {
    let at = 0;
    if (this.#length === 0) {
      at = Math.min(chunk.length, this.#layout.headBytes - this.#size);
      this.#append(chunk, 0, at);
      this.#length = this.#lengthOf(this.#collected!, 0, this.#size);
      if (this.#length === 0) return at;
    }
    const to = Math.min(chunk.length, at + this.#length - this.#size);
    // A head may be longer than a whole frame of another kind: what was taken too much of is given back.
    if (to < at) {
      this.#size = this.#length;
      at = to;
    } else {
      this.#append(chunk, at, to);
      at = to;
    }
    if (this.#size < this.#length) return at;
    const frame = this.#collected!.subarray(0, this.#length);
    this.#collected = undefined;
    this.#size = 0;
    this.#length = 0;
    onFrame(frame);
    return at;
  }

  #append(chunk: Buffer, from: number, to: number): void {
    const size = this.#size + to - from;
    if (this.#collected === undefined || this.#collected.length < size) {
      const doubled = Math.max(firstCapacity, this.#collected === undefined ? 0 : this.#collected.length * 2);
      const wanted = this.#length === 0 ? doubled : Math.min(doubled, this.#length);
      const grown = Buffer.allocUnsafeSlow(Math.max(size, wanted));
      this.#collected?.copy(grown, 0, 0, this.#size);
      this.#collected = grown;
    }
    chunk.copy(this.#collected, this.#size, from, to);
    this.#size = size;
  }

  #lengthOf(bytes: Buffer, at: number, available: number): number {
    const length = this.#layout.lengthOf(bytes, at, available);
    if (length > this.#maxFrameBytes) {
      throw rpcError(
        "FL_RPC_TOO_LARGE",
        this.#layout.name,
        `a frame of ${length} bytes; the limit is ${this.#maxFrameBytes}`,
      );
    }
    return length;
  }
}
