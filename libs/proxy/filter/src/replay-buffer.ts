/** What a chunk takes besides its bytes: a body in chunks of one byte is a hundred times as large in memory. */
const CHUNK_OVERHEAD_BYTES = 128;

/** The request's body as far as it may have to be sent (again). */
export class ReplayBuffer {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #complete = true;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether all of the body so far is in here: only then can the request be sent once more. */
  get complete(): boolean {
    return this.#complete;
  }

  get full(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  add(chunk: Buffer): void {
    if (!this.#complete || chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length + CHUNK_OVERHEAD_BYTES;
  }

  /** No other attempt will be made. */
  drop(): void {
    this.#complete = this.#bytes === 0 && this.#complete;
    this.#chunks = [];
    this.#bytes = 0;
  }
}
