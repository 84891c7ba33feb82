import type { Socket } from "node:net";
import type { OverloadState } from "@fairlead/proxy-overload";
import { totalOf } from "@fairlead/stat-cells";

/** `listener.<address>.…`, of what the socket itself sees. */
export class SocketStats {
  downstream_cx_active = 0;
  downstream_cx_overload_reject = 0;
  /** Ours: connections that wait while none is to be served; they are not among the active ones. */
  downstream_cx_overload_held_active = 0;
}

export interface ConnectionAdmissionOptions {
  readonly stats: SocketStats;
  /** Of all threads together. */
  readonly maxConnections: number;
  /** Connections that wait while none is to be served; more are closed. */
  readonly maxWaiting: number;
  readonly overload: OverloadState | undefined;
}

/** Which connections of a listening socket are served: not more than the limit, and none while the process is overloaded. */
export class ConnectionAdmission {
  readonly #options: ConnectionAdmissionOptions;
  readonly #total: Readonly<SocketStats>;
  /** Node cannot stop to accept without giving the address up: they are accepted and not read. */
  readonly #waiting = new Set<Socket>();
  readonly #onWaiterGone: (this: Socket) => void;

  constructor(options: ConnectionAdmissionOptions) {
    this.#options = options;
    this.#total = totalOf(options.stats);
    const forget = (socket: Socket): void => this.#forget(socket);
    this.#onWaiterGone = function () {
      forget(this);
    };
  }

  /** Of all threads. */
  get active(): number {
    return this.#total.downstream_cx_active;
  }

  /** @returns whether it is to be served now. One that waits comes out of `release`; others are closed. */
  admit(socket: Socket, onOverflow: () => void): boolean {
    const { stats, maxConnections, maxWaiting, overload } = this.#options;
    const full = this.active + this.#waiting.size >= maxConnections || this.#waiting.size >= maxWaiting;
    if (full || overload?.rejectsConnections === true) {
      if (full) onOverflow();
      else stats.downstream_cx_overload_reject++;
      close(socket);
      return false;
    }
    if (overload?.stopsConnections !== true) {
      this.#count(socket);
      return true;
    }
    socket.pause();
    socket.on("error", ignore);
    socket.once("close", this.#onWaiterGone);
    this.#waiting.add(socket);
    stats.downstream_cx_overload_held_active++;
    return false;
  }

  /** Those that have waited are served now. */
  release(serve: (socket: Socket) => void): void {
    for (const socket of this.#waiting) {
      this.#forget(socket);
      this.#count(socket);
      socket.off("error", ignore);
      serve(socket);
    }
  }

  close(): void {
    for (const socket of this.#waiting) close(socket);
  }

  #count(socket: Socket): void {
    const { stats } = this.#options;
    stats.downstream_cx_active++;
    socket.once("close", () => stats.downstream_cx_active--);
  }

  #forget(socket: Socket): void {
    socket.off("close", this.#onWaiterGone);
    if (this.#waiting.delete(socket)) this.#options.stats.downstream_cx_overload_held_active--;
  }
}

const ignore = (): void => undefined;

function close(socket: Socket): void {
  socket.on("error", ignore);
  socket.destroy();
}
