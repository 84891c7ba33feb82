import { Slab } from "./slab.ts";

export interface SlotPoolOptions {
  /** A power of two; less is rounded up to it. @default 64 */
  readonly minSlotBytes?: number;
  /** A power of two; more is allocated each time and not kept. @default 1048576 */
  readonly maxSlotBytes?: number;
  /** What all free slots together may hold; what is given back beyond that is left to the garbage collector. @default 8388608 */
  readonly maxFreeBytes?: number;
  /** Told of each slot. For tests; see `testing`. */
  readonly watch?: { taken(slab: Slab): void; given(slab: Slab): void };
}

export interface SlotPoolStats {
  /** Slots that are held by somebody. */
  readonly taken: number;
  readonly freeBytes: number;
  readonly reused: number;
  readonly created: number;
  /** Given back while the pool was full, or too large to be kept; or given away. */
  readonly dropped: number;
}

/**
 * Memory in slots of a power of two, used again.
 *
 * It pays from some kilobytes on: what is smaller, Node cuts from a page of its own at the cost of a few instructions, and the
 * garbage collector frees it with its page (docs/decisions/0011-buffers-and-pools.md).
 */
export class SlotPool {
  readonly #minBits: number;
  readonly #maxSlotBytes: number;
  readonly #maxFreeBytes: number;
  readonly #watch: SlotPoolOptions["watch"];
  /** Free memory by power of two, from `minSlotBytes` on; the last that came is the first that goes: it is the warmest. */
  readonly #free: Buffer[][] = [];
  #taken = 0;
  #freeBytes = 0;
  #reused = 0;
  #created = 0;
  #dropped = 0;

  constructor(options: SlotPoolOptions = {}) {
    this.#minBits = bitsOf(options.minSlotBytes ?? 64);
    this.#maxSlotBytes = options.maxSlotBytes ?? 1024 * 1024;
    this.#maxFreeBytes = options.maxFreeBytes ?? 8 * 1024 * 1024;
    this.#watch = options.watch;
    for (let bits = this.#minBits; bits <= bitsOf(this.#maxSlotBytes); bits++) this.#free.push([]);
  }

  get stats(): SlotPoolStats {
    return {
      taken: this.#taken,
      freeBytes: this.#freeBytes,
      reused: this.#reused,
      created: this.#created,
      dropped: this.#dropped,
    };
  }

  /** @returns memory of at least so many bytes, with what was in it before */
  take(bytes: number): Slab {
    this.#taken++;
    const slab = new Slab(this.#memory(bytes), this.#give);
    this.#watch?.taken(slab);
    return slab;
  }

  #memory(bytes: number): Buffer {
    const free = bytes > this.#maxSlotBytes ? undefined : this.#free[Math.max(0, bitsOf(bytes) - this.#minBits)];
    const used = free?.pop();
    if (used !== undefined) {
      this.#reused++;
      this.#freeBytes -= used.length;
      return used;
    }
    this.#created++;
    return Buffer.allocUnsafeSlow(free === undefined ? bytes : 1 << Math.max(this.#minBits, bitsOf(bytes)));
  }

  /** Its memory is somebody's for good: it does not come back, and is not missed. */
  forfeit(slab: Slab): void {
    this.#taken--;
    this.#dropped++;
    this.#watch?.given(slab);
  }

  readonly #give = (slab: Slab): void => {
    this.#taken--;
    this.#watch?.given(slab);
    const size = slab.bytes.length;
    if (size > this.#maxSlotBytes || this.#freeBytes + size > this.#maxFreeBytes) {
      this.#dropped++;
      return;
    }
    this.#freeBytes += size;
    this.#free[bitsOf(size) - this.#minBits]?.push(slab.bytes);
  };
}

/** The least n with 2^n ≥ bytes. */
function bitsOf(bytes: number): number {
  return bytes <= 1 ? 0 : 32 - Math.clz32(bytes - 1);
}
