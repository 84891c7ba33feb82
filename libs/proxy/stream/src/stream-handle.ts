import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

/**
 * What node:net's sockets are made of. It is not public, so each part is looked for first; where one is missing, and to write over
 * TLS, sockets are used as they are documented.
 */
export interface StreamHandle {
  onread: (this: StreamHandle, buffer?: unknown) => unknown;
  reading: boolean;
  /** All reads go into this memory from now on. Node keeps a record of each call until the end of the connection, but not the memory. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeLatin1String(request: object, text: string): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
}

export interface WriteRequest {
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

export const internals = findInternals();

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
export function handleOf(socket: Socket): StreamHandle | undefined {
  if (internals === undefined) return undefined;
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return undefined;
  const { onread, useUserBuffer, readStart, readStop, writeLatin1String, writeBuffer } =
    handle as Partial<StreamHandle>;
  const parts = [onread, useUserBuffer, readStart, readStop, writeLatin1String, writeBuffer];
  return parts.every((part) => typeof part === "function") ? (handle as StreamHandle) : undefined;
}

/** What waits for the peer of a socket. It goes down with each part that the system takes, where `writableLength` waits for whole writes. */
export function waitingBytes(socket: Socket): number {
  const queued: unknown = Reflect.get(Object(Reflect.get(socket, "_handle")), "writeQueueSize");
  return socket.writableLength + (typeof queued === "number" ? queued : 0);
}

/** @param status as a call on a handle gives it */
export function destroyWith(socket: Socket, status: number): void {
  socket.destroy(Object.assign(new Error("write failed"), { code: getSystemErrorName(status) }));
}
