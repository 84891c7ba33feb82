import type { Http2Stats } from "@fairlead/codec-http2";

/** How a connection is tried: whether the peer is still there. */
export interface KeepAliveOptions {
  /** Between one PING and the next; 0 = none. @default 0 */
  readonly intervalMs: number;
  /** Nothing from the peer for so long after a PING ends the connection. */
  readonly timeoutMs: number;
  /** Up to this share is added to each interval, so that connections that began together do not go on together. @default 0.15 */
  readonly jitter: number;
  /** Of our own connections: after so long without a frame, a PING goes before the next request; 0 = none. @default 0 */
  readonly idleMs: number;
}

/** The connection that is tried. */
export interface TriedConnection {
  sendPing(opaque: Buffer): void;
  /** The peer has not answered. */
  onKeepAliveTimeout(): void;
}

export const KEEP_ALIVE_TIMEOUT = "http2_ping_timeout";
const OPAQUE = Buffer.from("fl-alive", "latin1");

/** PINGs to a peer, and the end of the connection when it says nothing any more. */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #connection: TriedConnection;
  readonly #stats: Http2Stats | undefined;
  readonly #now: () => number;
  readonly #random: () => number;
  #lastFrameMs: number;
  #waiting = false;
  #interval: NodeJS.Timeout | undefined;
  #timeout: NodeJS.Timeout | undefined;

  constructor(
    options: KeepAliveOptions,
    connection: TriedConnection,
    stats?: Http2Stats,
    clock: { readonly now: () => number; readonly random: () => number } = {
      now: () => performance.now(),
      random: Math.random,
    },
  ) {
    this.#options = options;
    this.#connection = connection;
    this.#stats = stats;
    this.#now = clock.now;
    this.#random = clock.random;
    this.#lastFrameMs = this.#now();
    this.#waitForInterval();
  }

  /** Any frame says that the peer is there: a PING may stand behind many of them. */
  onFrames(): void {
    this.#lastFrameMs = this.#now();
  }

  onPingAck(opaque: Buffer): void {
    if (this.#waiting && opaque.equals(OPAQUE)) this.#stopWaiting();
  }

  /** A request begins: one on a dead connection would wait for the system's time-out. */
  onRequest(): void {
    const { idleMs } = this.#options;
    if (idleMs > 0 && !this.#waiting && this.#now() - this.#lastFrameMs >= idleMs) this.#ping();
  }

  end(): void {
    clearTimeout(this.#interval);
    this.#stopWaiting();
  }

  #waitForInterval(): void {
    const { intervalMs, jitter } = this.#options;
    if (intervalMs === 0) return;
    this.#interval = setTimeout(
      () => {
        if (!this.#waiting) this.#ping();
        this.#waitForInterval();
      },
      intervalMs * (1 + this.#random() * jitter),
    );
    this.#interval.unref();
  }

  #ping(): void {
    this.#waiting = true;
    this.#connection.sendPing(OPAQUE);
    this.#waitForAnswer(this.#now(), this.#options.timeoutMs);
  }

  /** @param sinceMs of the PING, or of the last frame after it */
  #waitForAnswer(sinceMs: number, ms: number): void {
    this.#timeout = setTimeout(() => {
      const last = this.#lastFrameMs;
      if (last > sinceMs) this.#waitForAnswer(last, last + this.#options.timeoutMs - this.#now());
      else this.#giveUp();
    }, ms);
    this.#timeout.unref();
  }

  #giveUp(): void {
    this.end();
    if (this.#stats !== undefined) this.#stats.keepalive_timeout++;
    this.#connection.onKeepAliveTimeout();
  }

  #stopWaiting(): void {
    this.#waiting = false;
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
  }
}
