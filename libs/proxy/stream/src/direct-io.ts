import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { getSystemErrorName } from "node:util";
import type { Slab } from "@fairlead/buffer";
import { holdFlushes, releaseFlushes } from "./flush-list.ts";

/**
 * Reading and writing plain TCP sockets past node:net's streams, which take as much time as all that a proxy does with a request.
 *
 * ```
 *   kernel ─▶ one buffer for all sockets ─▶ a copy as long as what came ─▶ listener      (node:net: 64 KiB allocated for each read)
 *   writer ─▶ write(2) at once ─▶ what the kernel does not take waits in libuv, and further writes in node:net behind it
 * ```
 *
 * It uses what node:net itself is made of. That is not public, so each part is looked for first; where one is missing, and to
 * write over TLS, sockets are used as they are documented.
 */
interface Handle {
  onread: (this: Handle, buffer?: unknown) => unknown;
  reading: boolean;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeLatin1String(request: object, text: string): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
}

interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** What libuv still reads from. */
  kept?: unknown;
}

interface Internals {
  readonly WriteWrap: new () => WriteRequest;
  /** What the last call on a handle says besides its result. */
  readonly state: Int32Array;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly wasAsync: number;
}

/** As node:net's own reads. */
const READ_BYTES = 64 * 1024;
/** Larger chunks get memory of their own: a slice would keep all of the slab. */
const SLICE_BYTES = 4 * 1024;
const SLAB_BYTES = 32 * 1024;

const internals = findInternals();
const incoming = Buffer.allocUnsafeSlow(READ_BYTES);
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;
let spare: WriteRequest | undefined;

function findInternals(): Internals | undefined {
  try {
    const { binding } = process as unknown as { binding?: (name: string) => Record<string, unknown> };
    const found = binding?.call(process, "stream_wrap");
    const { WriteWrap, streamBaseState, kReadBytesOrError, kBytesWritten, kLastWriteWasAsync } = found ?? {};
    const places = [kReadBytesOrError, kBytesWritten, kLastWriteWasAsync];
    if (typeof WriteWrap !== "function" || !(streamBaseState instanceof Int32Array)) return undefined;
    if (!places.every((place) => Number.isInteger(place))) return undefined;
    return {
      WriteWrap: WriteWrap as new () => WriteRequest,
      state: streamBaseState,
      readBytes: Number(kReadBytesOrError),
      writtenBytes: Number(kBytesWritten),
      wasAsync: Number(kLastWriteWasAsync),
    };
  } catch {
    return undefined;
  }
}

/** @returns undefined where the socket must be used as it is documented */
function handleOf(socket: Socket): Handle | undefined {
  if (internals === undefined) return undefined;
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return undefined;
  const { onread, useUserBuffer, readStart, readStop, writeLatin1String, writeBuffer } = handle as Partial<Handle>;
  const parts = [onread, useUserBuffer, readStart, readStop, writeLatin1String, writeBuffer];
  return parts.every((part) => typeof part === "function") ? (handle as Handle) : undefined;
}

/** A copy of the first bytes of `incoming`, which the next read of any socket writes over. */
function copyOf(length: number): Buffer {
  if (length > SLICE_BYTES) return Buffer.from(incoming.subarray(0, length));
  if (slabUsed + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  incoming.copy(slab, slabUsed, 0, length);
  const copy = slab.subarray(slabUsed, slabUsed + length);
  slabUsed += length;
  return copy;
}

/** Tells of the bytes that come; `pause` and `resume` of the socket stop and start it. What is sent meanwhile goes out afterwards. */
export function listenToBytes(socket: Socket, listener: (chunk: Buffer) => void): void {
  // Whoever read from it before puts back what it has read.
  socket.on("data", listener);
  const handle = handleOf(socket);
  if (handle === undefined || internals === undefined || socket.readableLength > 0 || socket.isPaused()) return;
  const { state, readBytes } = internals;
  const { onread } = handle;
  handle.useUserBuffer(incoming);
  handle.onread = function (this: Handle, buffer?: unknown) {
    const length = state[readBytes] ?? 0;
    // The end of what comes, and errors.
    if (length <= 0) return onread.call(this, buffer);
    if (socket.destroyed) return undefined;
    holdFlushes();
    try {
      listener(copyOf(length));
    } finally {
      releaseFlushes();
    }
    return undefined;
  };
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

/** The writing half of a socket. */
export class DirectOutput {
  /** Given to the system, which has not taken it yet. */
  pendingBytes = 0;
  readonly #socket: Socket;
  readonly #handle: Handle | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    // TLS takes one write at a time, which node:net sees to.
    this.#handle = socket instanceof TLSSocket ? undefined : handleOf(socket);
  }

  /**
   * @param memory what the data lie in: let go when the system has taken them
   * @returns false when it must be written to the socket: there is something before it, or it cannot be done here
   */
  write(data: string | Buffer, memory?: Slab): boolean {
    const handle = this.#handle;
    const socket = this.#socket;
    if (handle === undefined || internals === undefined || this.pendingBytes > 0 || socket.writableLength > 0)
      return false;
    const request = (spare ??= new internals.WriteWrap());
    const error =
      typeof data === "string" ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data);
    if (internals.state[internals.wasAsync] !== 0) {
      spare = undefined;
      this.pendingBytes = internals.state[internals.writtenBytes] ?? 0;
      request.kept = data;
      request.oncomplete = (status) => {
        this.pendingBytes = 0;
        request.kept = undefined;
        memory?.release();
        // Where nothing is read, nobody else tells that the peer has gone.
        if (status < 0) destroyWith(socket, status);
      };
    } else memory?.release();
    if (error !== 0) destroyWith(socket, error);
    return true;
  }
}

function destroyWith(socket: Socket, error: number): void {
  socket.destroy(Object.assign(new Error("write failed"), { code: getSystemErrorName(error) }));
}
