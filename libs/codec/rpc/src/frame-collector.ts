import { ByteChain } from "@fairlead/buffer";
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

/**
 * Makes frames of what comes in, in whatever pieces. A frame that lies in one piece is a slice of it; only one that does not is copied,
 * once, when it is complete: what is held grows with what has come in and not with what a head promises.
 *
 *   piece:  ……tail of A][ B ][ C ][ D, begun………
 *             └ joined      └ slices └ held
 */
export class FrameCollector {
  readonly #layout: FrameLayout;
  readonly #maxFrameBytes: number;
  readonly #held = new ByteChain();
  /** Of the frame that is held; 0 = not known yet. */
  #length = 0;

  constructor(layout: FrameLayout, limits: FrameLimits = defaultFrameLimits) {
    this.#layout = layout;
    this.#maxFrameBytes = limits.maxFrameBytes;
  }

  /** Bytes of a frame that is not complete. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /**
   * @param onFrame gets each frame that is complete, in order
   * @throws FairleadError FL_RPC_MALFORMED, FL_RPC_TOO_LARGE: the connection cannot go on
   */
  execute(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = this.#held.length === 0 ? 0 : this.#complete(chunk, onFrame);
    while (at < chunk.length) {
      const available = chunk.length - at;
      const length = this.#lengthOf(chunk, at, available);
      if (length === 0 || length > available) {
        this.#length = length;
        this.#held.add(at === 0 ? chunk : chunk.subarray(at));
        return;
      }
      const end = at + length;
      onFrame(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
      at = end;
    }
  }

  /** Adds to the frame that is held. @returns how much of the chunk it took */
  #complete(chunk: Buffer, onFrame: (frame: Buffer) => void): number {
    if (this.#length === 0) {
      const missing = Math.min(chunk.length, this.#layout.headBytes - this.#held.length);
      const head = Buffer.concat([this.#held.peek(), chunk.subarray(0, missing)]);
      this.#length = this.#lengthOf(head, 0, head.length);
    }
    const missing = this.#length === 0 ? chunk.length : Math.min(chunk.length, this.#length - this.#held.length);
    this.#held.add(missing === chunk.length ? chunk : chunk.subarray(0, missing));
    if (this.#length === 0 || this.#held.length < this.#length) return missing;
    this.#length = 0;
    onFrame(this.#held.take());
    return missing;
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
