/** How a stream ended, as far as it is remembered. */
export const FORGOTTEN = 0;
export const ENDED = 1;
export const RESET_BY_PEER = 2;
export const RESET_BY_US = 3;

const SLOTS = 256;

/** The last streams of a connection: what still comes for them is treated by how they ended (RFC 9113 §5.1). One slot for each id modulo 256. */
export class ClosedStreams {
  readonly #ids = new Uint32Array(SLOTS);
  readonly #how = new Uint8Array(SLOTS);

  add(id: number, how: number): void {
    const slot = (id >>> 1) % SLOTS;
    this.#ids[slot] = id;
    this.#how[slot] = how;
  }

  howOf(id: number): number {
    const slot = (id >>> 1) % SLOTS;
    return this.#ids[slot] === id ? (this.#how[slot] ?? FORGOTTEN) : FORGOTTEN;
  }
}
