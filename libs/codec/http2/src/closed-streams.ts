/** How a stream ended, as far as it is remembered. */
export const FORGOTTEN = 0;
export const ENDED = 1;
export const RESET_BY_PEER = 2;
export const RESET_BY_US = 3;

const SLOTS = 256;

/** The last streams of a connection: what still comes for them is treated by how they ended (RFC 9113 §5.1). One slot for each id modulo 256. */
export class ClosedStreams {
  /** Made with the first stream: most of many connections are idle. */
  #ids: Uint32Array | undefined;
  #how: Uint8Array | undefined;

  add(id: number, how: number): void {
    const ids = (this.#ids ??= new Uint32Array(SLOTS));
    const hows = (this.#how ??= new Uint8Array(SLOTS));
    const slot = (id >>> 1) % SLOTS;
    ids[slot] = id;
    hows[slot] = how;
  }

  howOf(id: number): number {
    const slot = (id >>> 1) % SLOTS;
    return this.#ids?.[slot] === id ? (this.#how?.[slot] ?? FORGOTTEN) : FORGOTTEN;
  }
}
