import { ByteChain } from "@fairlead/buffer";

/** What a chunk that is referred to takes besides its bytes. */
const CHUNK_OVERHEAD_BYTES = 128;

/** The request's body as far as it may have to be sent (again). */
export class ReplayBuffer {
  #maxBytes: number;
  readonly #body = new ByteChain();
  #complete = true;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether all of the body so far is in here: only then can the request be sent once more. */
  get complete(): boolean {
    return this.#complete;
  }

  get full(): boolean {
    return this.#body.length + this.#body.pieces * CHUNK_OVERHEAD_BYTES > this.#maxBytes;
  }

  /** Before anything is added. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  get chunks(): readonly Buffer[] {
    return this.#body.views();
  }

  add(chunk: Buffer): void {
    if (!this.#complete || chunk.length === 0) return;
    // Most bodies are one chunk, that need not be copied however short it is; short ones that follow are put together.
    if (this.#body.length === 0) this.#body.addReference(chunk);
    else this.#body.add(chunk);
  }

  /** No other attempt will be made. */
  drop(): void {
    this.#complete = this.#body.length === 0 && this.#complete;
    this.#body.clear();
  }
}
