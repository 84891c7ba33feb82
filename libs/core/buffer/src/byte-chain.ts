import { emptySegment, type Segment, segmentOf, splitOff, viewOf } from "./segment.ts";
import { Slab } from "./slab.ts";
import type { SlotPool } from "./slot-pool.ts";

/** What is shorter is copied by `add`: a piece of its own takes more memory than that. */
const COPY_BYTES = 512;
/** A slice keeps all of the memory that it is cut from. */
const KEPT_PER_BYTE = 4;
const FIRST_SLAB_BYTES = 1024;
const LARGEST_SLAB_BYTES = 64 * 1024;

export interface ByteChainOptions {
  /** Where memory for what is copied comes from, and goes back to. @default the garbage collector's */
  readonly pool?: SlotPool;
}

/**
 * A queue of bytes in pieces.
 *
 * ```
 *      drain, shift ◀── ┌────────┐   ┌──────────────┐   ┌─────────────┐ ◀── append (copied), add (as fits best)
 *      prepend ───────▶ │ piece  │ ─▶│ by reference │ ─▶│ slab │ room │ ◀── reserve, commit
 *                       └────────┘   └──────────────┘   └─────────────┘
 * ```
 *
 * What is added by reference must not be altered as long as the chain holds it. A piece's memory is let go when its last byte
 * leaves, in order; `clear` lets all of it go, and a chain with a pool, or with release callbacks, has to be emptied or cleared.
 */
export class ByteChain {
  readonly #pool: SlotPool | undefined;
  #head: Segment | undefined;
  #tail: Segment | undefined;
  #length = 0;
  #pieces = 0;
  /** Grows with what is copied, so that a long body does not come in slabs of a kilobyte. */
  #slabBytes = FIRST_SLAB_BYTES;

  constructor(options: ByteChainOptions = {}) {
    this.#pool = options.pool;
  }

  get length(): number {
    return this.#length;
  }

  /** How many pieces hold the bytes: each takes memory of its own besides them. */
  get pieces(): number {
    return this.#pieces;
  }

  // In, at the end

  /** Copies. */
  append(bytes: Uint8Array): void {
    let from = 0;
    // First what the last piece still has room for.
    const room = this.#room();
    if (room > 0) {
      from = Math.min(room, bytes.length);
      const tail = this.#tail!;
      tail.bytes.set(from === bytes.length ? bytes : bytes.subarray(0, from), tail.end);
      this.commit(from);
    }
    if (from === bytes.length) return;
    this.reserve(bytes.length - from).set(from === 0 ? bytes : bytes.subarray(from));
    this.commit(bytes.length - from);
  }

  /** @param release called once, when the chain, and every chain that it has moved parts to, holds nothing of it any more */
  addReference(bytes: Buffer, release?: () => void): void {
    if (bytes.length === 0) {
      release?.();
      return;
    }
    this.#push(segmentOf(bytes, release === undefined ? undefined : new Slab(bytes, release)));
  }

  /** Copies what is short, or would keep much more memory from being freed than it is long; refers to the rest. */
  add(bytes: Buffer): void {
    if (bytes.length < COPY_BYTES || bytes.length * KEPT_PER_BYTE < bytes.buffer.byteLength) this.append(bytes);
    else this.addReference(bytes);
  }

  /** Room to write into, in one piece and at least so long. Nothing but `commit` may come between. */
  reserve(bytes: number): Buffer {
    if (this.#room() < bytes || this.#tail === undefined) {
      const size = Math.max(bytes, this.#slabBytes);
      this.#slabBytes = Math.min(LARGEST_SLAB_BYTES, this.#slabBytes * 2);
      const slab = this.#pool?.take(size) ?? new Slab(Buffer.allocUnsafe(size), undefined);
      this.#push(emptySegment(slab));
    }
    const tail = this.#tail!;
    return tail.bytes.subarray(tail.end);
  }

  /** @param bytes of what was reserved, from its beginning */
  commit(bytes: number): void {
    const tail = this.#tail;
    if (tail === undefined || bytes > this.#room())
      throw new RangeError(`${bytes} bytes are committed, ${this.#room()} were reserved`);
    tail.end += bytes;
    this.#length += bytes;
  }

  // In, at the beginning

  /** Copies. */
  prepend(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const slab = this.#pool?.take(bytes.length) ?? new Slab(Buffer.allocUnsafe(bytes.length), undefined);
    slab.bytes.set(bytes);
    const segment = emptySegment(slab);
    segment.end = bytes.length;
    segment.hasRoom = this.#head === undefined;
    segment.next = this.#head;
    this.#head = segment;
    this.#tail ??= segment;
    this.#pieces++;
    this.#length += bytes.length;
  }

  // Out

  /** The first bytes, at most so many, without taking them: a view where they lie in one piece, else a copy. Valid until they leave. */
  peek(maxBytes: number = this.#length): Buffer {
    const wanted = Math.min(maxBytes, this.#length);
    const head = this.#firstPiece();
    if (head === undefined || wanted === 0) return NO_BYTES;
    if (head.end - head.start >= wanted) return head.bytes.subarray(head.start, head.start + wanted);
    const joined = Buffer.allocUnsafe(wanted);
    let at = 0;
    for (let segment: Segment | undefined = head; at < wanted; segment = segment?.next) {
      const { bytes, start, end } = segment!;
      at += bytes.copy(joined, at, start, Math.min(end, start + wanted - at));
    }
    return joined;
  }

  /** Takes all, in one buffer that stays valid. */
  take(): Buffer {
    const head = this.#firstPiece();
    const all = head?.next === undefined ? this.shift() : this.peek();
    this.clear();
    return all;
  }

  /** Views of all pieces, in order: for a vectored write. Valid until they leave. */
  views(): Buffer[] {
    const views: Buffer[] = [];
    for (let segment = this.#head; segment !== undefined; segment = segment.next) {
      if (segment.end > segment.start) views.push(viewOf(segment));
    }
    return views;
  }

  /** Takes what lies in one piece at the beginning, at most so many bytes; it stays valid: what goes back to a pool is copied. */
  shift(maxBytes: number = this.#length): Buffer {
    const head = this.#firstPiece();
    if (head === undefined || maxBytes <= 0) return NO_BYTES;
    const bytes = Math.min(maxBytes, head.end - head.start);
    const isWhole = head.start === 0 && bytes === head.bytes.length;
    const view = isWhole ? head.bytes : head.bytes.subarray(head.start, head.start + bytes);
    const taken = head.slab?.goesBack === true ? Buffer.from(view) : view;
    this.drain(bytes);
    return taken;
  }

  /** Lets the first bytes go. @throws RangeError when there are less */
  drain(bytes: number): void {
    if (bytes > this.#length) throw new RangeError(`${bytes} bytes are to be drained, there are ${this.#length}`);
    this.#length -= bytes;
    let left = bytes;
    while (left > 0) {
      const head = this.#head!;
      const here = head.end - head.start;
      if (left < here) {
        head.start += left;
        return;
      }
      left -= here;
      this.#dropHead(head);
    }
  }

  /** Moves the first bytes to the end of another chain without copying. @throws RangeError when there are less */
  moveTo(other: ByteChain, bytes: number = this.#length): void {
    if (bytes > this.#length) throw new RangeError(`${bytes} bytes are to be moved, there are ${this.#length}`);
    this.#length -= bytes;
    let left = bytes;
    while (left > 0) {
      const head = this.#firstPiece()!;
      const here = head.end - head.start;
      if (left < here) {
        other.#push(splitOff(head, left));
        return;
      }
      left -= here;
      this.#unlinkHead(head);
      head.next = undefined;
      other.#push(head);
    }
  }

  clear(): void {
    this.#length = 0;
    while (this.#head !== undefined) this.#dropHead(this.#head);
    this.#slabBytes = FIRST_SLAB_BYTES;
  }

  #room(): number {
    const tail = this.#tail;
    return tail?.hasRoom === true ? tail.bytes.length - tail.end : 0;
  }

  #push(segment: Segment): void {
    if (this.#tail === undefined) this.#head = segment;
    else this.#tail.next = segment;
    this.#tail = segment;
    this.#pieces++;
    this.#length += segment.end - segment.start;
  }

  /** The first piece with something in it. */
  #firstPiece(): Segment | undefined {
    while (this.#head !== undefined && this.#head !== this.#tail && this.#head.start === this.#head.end)
      this.#dropHead(this.#head);
    return this.#head;
  }

  #dropHead(head: Segment): void {
    this.#unlinkHead(head);
    head.slab?.release();
  }

  #unlinkHead(head: Segment): void {
    this.#head = head.next;
    if (head.next === undefined) this.#tail = undefined;
    this.#pieces--;
  }
}

const NO_BYTES = Buffer.alloc(0);
