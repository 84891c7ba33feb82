import type { Socket } from "node:net";
import { SlotPool, type Slab } from "@fairlead/buffer";
import { threadPools } from "@fairlead/pool";
import { holdFlushes, releaseFlushes } from "./flush-list.ts";
import { endLoan, lend, type ReadLoan } from "./read-loan.ts";
import { handleOf, internals, type StreamHandle } from "./stream-handle.ts";

/** As node:net's own reads. */
const READ_BYTES = 64 * 1024;
/** Larger chunks get memory of their own: a slice would keep all of the slab. */
const SLICE_BYTES = 4 * 1024;
const SLAB_BYTES = 32 * 1024;
/** Large reads before a socket gets memory of its own; twice as many each time that somebody has kept it. */
const LARGE_READS = 4;
/** So many small reads outweigh a large one: heads that come before their bodies do not count much. */
const SMALL_OF_LARGE = 4;
/** Sockets with memory of their own: 4 MiB. */
const MAX_OWN = 64;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);
const pool = threadPools.add(
  "reads",
  new SlotPool({ minSlotBytes: READ_BYTES, maxSlotBytes: READ_BYTES, maxFreeBytes: 16 * READ_BYTES }),
);
/** Those that have it, in a circle: who read nothing large since the hand was there last gives it to another. */
const owners: ReadMemory[] = [];
let hand = 0;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

/** A copy of the first bytes of memory that the next read writes over. */
function copyOf(memory: Buffer, length: number): Buffer {
  if (length > SLICE_BYTES) return Buffer.from(memory.subarray(0, length));
  if (slabUsed + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  memory.copy(slab, slabUsed, 0, length);
  const copy = slab.subarray(slabUsed, slabUsed + length);
  slabUsed += length;
  return copy;
}

/**
 * Where the bytes of one socket are read into: the memory of all sockets, out of which they are copied, or, where much comes, memory of
 * its own that is lent (read-loan.ts). A copy of some kilobytes costs little, but its memory, out of the JavaScript heap, has the
 * garbage collector run at every few thousand of them.
 */
class ReadMemory {
  /** Of the read that was taken last; undefined where its bytes were copied. */
  loan: ReadLoan | undefined;
  readonly #handle: StreamHandle;
  #own: Slab | undefined;
  #largeReads = 0;
  #patience = LARGE_READS;
  /** Since the hand was here. */
  #used = false;

  constructor(handle: StreamHandle) {
    this.#handle = handle;
    handle.useUserBuffer(shared);
  }

  /** @returns what came, for the listener */
  take(length: number, lends: boolean): Buffer {
    const own = this.#own;
    if (own !== undefined && length > SLICE_BYTES) {
      this.#used = true;
      const chunk = own.bytes.subarray(0, length);
      this.loan = lend(chunk);
      return chunk;
    }
    const chunk = copyOf(own === undefined ? shared : own.bytes, length);
    if (lends) this.#count(length);
    return chunk;
  }

  /** The read is served. @param passedBytes what of it somebody else was given */
  settle(loan: ReadLoan, passedBytes: number): void {
    this.loan = undefined;
    endLoan();
    if (loan.isSettled(passedBytes)) return;
    // Somebody has kept what was lent: it is theirs now. Where the socket was closed meanwhile, it has let go of it already.
    const own = this.#own;
    if (own !== undefined) {
      this.#share();
      pool.forfeit(own);
    }
  }

  /** Reads with the others, out of one memory, and has to read twice as much before it has its own again. */
  #share(): void {
    this.#disown();
    this.#largeReads = 0;
    this.#patience *= 2;
    this.#handle.useUserBuffer(shared);
  }

  /** The socket is closed. */
  release(): void {
    const own = this.#own;
    if (own === undefined) return;
    this.#disown();
    own.release();
  }

  #disown(): void {
    this.#own = undefined;
    owners.splice(owners.indexOf(this), 1);
  }

  /** The hand has come. @returns whether it has given up its memory */
  pass(): boolean {
    const own = this.#own;
    if (this.#used || this.loan !== undefined || own === undefined) {
      this.#used = false;
      return false;
    }
    this.#share();
    own.release();
    return true;
  }

  #count(length: number): void {
    if (length <= SLICE_BYTES) {
      this.#largeReads = Math.max(0, this.#largeReads - 1 / SMALL_OF_LARGE);
      return;
    }
    if (++this.#largeReads < this.#patience || this.#own !== undefined) return;
    hand = (hand + 1) % MAX_OWN;
    if (owners.length >= MAX_OWN && owners[hand]?.pass() !== true) return;
    owners.push(this);
    this.#own = pool.take(READ_BYTES);
    this.#handle.useUserBuffer(this.#own.bytes);
  }
}

/**
 * Reads plain TCP sockets past node:net's streams, which take as much time as all that a proxy does with a request.
 *
 * ```
 *   kernel ─▶ one buffer for all sockets ─▶ a copy as long as what came ─▶ listener      (node:net: 64 KiB allocated for each read)
 * ```
 *
 * `pause` and `resume` of the socket stop and start it. What is sent while the listener is told goes out afterwards.
 *
 * @param listener is told of the bytes that come
 * @param passedOn how many bytes of the last chunk the listener has passed on: given by one that keeps none of a chunk for itself
 */
export function listenToBytes(socket: Socket, listener: (chunk: Buffer) => void, passedOn?: () => number): void {
  // Whoever read from it before puts back what it has read: it comes by this way at the end of the tick, before anything is read.
  socket.on("data", listener);
  const handle = handleOf(socket);
  if (handle === undefined || internals === undefined || socket.isPaused()) return;
  const { state, readBytes } = internals;
  const { onread } = handle;
  const memory = new ReadMemory(handle);
  handle.onread = function (this: StreamHandle, buffer?: unknown) {
    const length = state[readBytes] ?? 0;
    // The end of what comes, and errors.
    if (length <= 0) return onread.call(this, buffer);
    if (socket.destroyed) return undefined;
    const chunk = memory.take(length, passedOn !== undefined);
    const { loan } = memory;
    let passedBytes = -1;
    holdFlushes();
    try {
      listener(chunk);
      if (passedOn !== undefined) passedBytes = passedOn();
    } finally {
      try {
        releaseFlushes();
      } finally {
        if (loan !== undefined) memory.settle(loan, passedBytes);
      }
    }
    return undefined;
  };
  if (passedOn !== undefined) socket.once("close", () => memory.release());
  let paused = false;
  socket.pause = () => {
    if (!paused && !socket.destroyed) handle.readStop();
    paused = true;
    return socket;
  };
  socket.resume = () => {
    if (paused && !socket.destroyed) handle.readStart();
    paused = false;
    return socket;
  };
  socket.isPaused = () => paused;
}
