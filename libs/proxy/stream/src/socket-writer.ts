import type { Socket } from "node:net";
import { SlotPool } from "@fairlead/buffer";
import { threadPools } from "@fairlead/pool";
import { DirectOutput } from "./direct-output.ts";
import { flushSoon } from "./flush-list.ts";
import { loanOf, type ReadLoan } from "./read-loan.ts";

/** Up to here, parts are copied into one buffer: cheaper than a vectored write. */
const MERGE_BYTES = 64 * 1024;
/** More parts than one message has in a tick: many small ones, as calls of an RPC connection are, are dearer to write one by one than to copy. */
const MANY_PARTS = 16;
/** Of what is too much for one buffer, small parts are put together up to this size. */
const RUN_BYTES = 16 * 1024;
/** From here on, memory to copy into is used again: Node cuts less from a page of its own, which is as cheap. */
const POOLED_BYTES = 1024;
/** Slots are given back when the system has taken what is in them, which it mostly does at once. */
const memory = threadPools.add(
  "writes",
  new SlotPool({ minSlotBytes: POOLED_BYTES, maxSlotBytes: MERGE_BYTES, maxFreeBytes: 1024 * 1024 }),
);
const DEFAULT_HIGH_WATERMARK_BYTES = 1024 * 1024;

export interface WriterEvents {
  onWriteBlocked(): void;
  onWritable(): void;
}

/** Collects what is sent to a socket in one tick and gives it out as one write; tells when the peer does not keep up. */
export class SocketWriter {
  readonly #socket: Socket;
  readonly #highWatermarkBytes: number;
  readonly #events: WriterEvents;
  readonly #direct: DirectOutput;
  #parts: (string | Buffer)[] = [];
  #bytes = 0;
  /** Of the parts, what is lent, and by whom. */
  #loan: ReadLoan | undefined;
  #lentBytes = 0;
  #scheduled = false;
  #blocked = false;

  constructor(socket: Socket, events: WriterEvents, highWatermarkBytes = DEFAULT_HIGH_WATERMARK_BYTES) {
    this.#socket = socket;
    this.#events = events;
    this.#direct = new DirectOutput(socket);
    this.#highWatermarkBytes = highWatermarkBytes;
    socket.on("drain", () => this.#drained());
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  /** What the system has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength + this.#direct.pendingBytes;
  }

  /**
   * @param part text in latin1, or bytes that are not changed any more
   * @param unshared nobody else holds the bytes: their memory may be used again when they are out
   */
  write(part: string | Buffer, unshared = false): void {
    if (unshared && typeof part !== "string") this.#noteLoan(part);
    this.#parts.push(part);
    this.#bytes += part.length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      flushSoon(this);
    }
  }

  /** Several parts, now: for a protocol that collects by itself, and has said of lent ones that are held elsewhere, too. */
  writeNow(parts: readonly Buffer[]): void {
    for (const part of parts) {
      this.#noteLoan(part);
      this.#parts.push(part);
      this.#bytes += part.length;
    }
    this.flush();
  }

  /** Now, instead of at the end of the tick: when a message is complete there is nothing to wait for. */
  flush(): void {
    this.#scheduled = false;
    const parts = this.#parts;
    if (parts.length === 0) return;
    const bytes = this.#bytes;
    const loan = this.#loan;
    const lentBytes = this.#lentBytes;
    this.#parts = [];
    this.#bytes = 0;
    this.#loan = undefined;
    this.#lentBytes = 0;
    const socket = this.#socket;
    if (!socket.writable) return;
    const only = parts[0];
    if (bytes <= MERGE_BYTES && only !== undefined) {
      if (parts.length > 1 && bytes >= POOLED_BYTES) {
        const slab = memory.take(bytes);
        const all = slab.bytes.subarray(0, bytes);
        fill(all, parts);
        loan?.return(lentBytes);
        if (this.#direct.write(all, slab)) return;
        socket.write(all, () => slab.release());
      } else {
        const all = parts.length === 1 ? only : merge(parts, bytes);
        const written = this.#direct.write(all);
        if (parts.length > 1 || (written && this.#direct.pendingBytes === 0)) loan?.return(lentBytes);
        if (written) return;
        writePart(socket, all);
      }
    } else if (parts.length === 1 && only !== undefined) writePart(socket, only);
    else {
      socket.cork();
      for (const part of parts.length > MANY_PARTS ? joined(parts) : parts) writePart(socket, part);
      socket.uncork();
    }
    // "drain" only comes when the socket asked for it, so that a small limit is at least the socket's own.
    if (!this.#blocked && socket.writableLength >= this.#highWatermarkBytes && socket.writableNeedDrain) {
      this.#blocked = true;
      this.#events.onWriteBlocked();
    }
  }

  #noteLoan(part: Buffer): void {
    const loan = loanOf(part);
    if (loan === undefined) return;
    // What another read lent and has not gone out is not lent any more.
    if (this.#loan !== loan) this.#lentBytes = 0;
    this.#loan = loan;
    this.#lentBytes += part.length;
  }

  #drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#events.onWritable();
  }
}

function writePart(socket: Socket, part: string | Buffer): void {
  if (typeof part === "string") socket.write(part, "latin1");
  else socket.write(part);
}

/**
 * Small parts that follow each other become one: a socket keeps hundreds of bytes for each write, which its count of what is
 * waiting leaves out. A body in chunks of one byte would take a hundred times its size.
 */
function joined(parts: readonly (string | Buffer)[]): (string | Buffer)[] {
  const all: (string | Buffer)[] = [];
  let run: (string | Buffer)[] = [];
  let bytes = 0;
  const endRun = (): void => {
    if (run.length > 0) all.push(merge(run, bytes));
    run = [];
    bytes = 0;
  };
  for (const part of parts) {
    if (part.length >= RUN_BYTES) {
      endRun();
      all.push(part);
      continue;
    }
    run.push(part);
    bytes += part.length;
    if (bytes >= RUN_BYTES) endRun();
  }
  endRun();
  return all;
}

function merge(parts: readonly (string | Buffer)[], bytes: number): Buffer {
  const merged = Buffer.allocUnsafe(bytes);
  fill(merged, parts);
  return merged;
}

function fill(merged: Buffer, parts: readonly (string | Buffer)[]): void {
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") merged.write(part, at, "latin1");
    else merged.set(part, at);
    at += part.length;
  }
}
