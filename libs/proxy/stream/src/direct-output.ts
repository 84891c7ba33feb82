import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Slab } from "@fairlead/buffer";
import { destroyWith, handleOf, internals, type StreamHandle, type WriteRequest } from "./stream-handle.ts";

let spare: WriteRequest | undefined;

/**
 * Writing to plain TCP sockets past node:net's streams, without their callbacks and ticks.
 *
 * ```
 *   writer ─▶ write(2) at once ─▶ what the kernel does not take waits in libuv, and further writes in node:net behind it
 * ```
 */
export class DirectOutput {
  /** Given to the system, which has not taken it yet. */
  pendingBytes = 0;
  readonly #socket: Socket;
  readonly #handle: StreamHandle | undefined;

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
