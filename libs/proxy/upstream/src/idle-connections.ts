import type { ClientConnection } from "@fairlead/proxy-stream";
import type { Expiring, TimerWheel, WheelTimer } from "@fairlead/timer-wheel";
import type { ClusterStats } from "./cluster-stats.ts";

interface Idle {
  readonly connection: ClientConnection;
  readonly expiresAtMs: number;
}

/** The peer's own time-out is not waited for to the last: its FIN and our request would cross. */
const PEER_TIMEOUT_MARGIN_MS = 1000;

/** Connections to one host that serve no request: the last that came is the first that is taken, so that the rest may age and close. */
export class IdleConnections implements Expiring {
  readonly #timeoutMs: number;
  readonly #stats: ClusterStats;
  readonly #wheel: TimerWheel;
  readonly #deadline: WheelTimer;
  #idle: Idle[] = [];

  /** @param timeoutMs how long one is kept at most; 0: none is kept */
  constructor(timeoutMs: number, stats: ClusterStats, wheel: TimerWheel) {
    this.#timeoutMs = timeoutMs;
    this.#stats = stats;
    this.#wheel = wheel;
    this.#deadline = wheel.timer(this);
  }

  get size(): number {
    return this.#idle.length;
  }

  take(): ClientConnection | undefined {
    return this.#idle.pop()?.connection;
  }

  has(connection: ClientConnection): boolean {
    return this.#idle.some((entry) => entry.connection === connection);
  }

  /** Closes it where it may not be kept. */
  put(connection: ClientConnection): void {
    const peerMs = connection.peerIdleTimeoutMs;
    const keptMs = peerMs === undefined ? Number.POSITIVE_INFINITY : peerMs - PEER_TIMEOUT_MARGIN_MS;
    const idleMs = Math.min(this.#timeoutMs, keptMs);
    if (idleMs <= 0) {
      connection.destroy();
      return;
    }
    const expiresAtMs = this.#wheel.nowMs + idleMs;
    this.#idle.push({ connection, expiresAtMs });
    if (expiresAtMs < this.#deadline.deadlineMs) this.#deadline.deadlineMs = expiresAtMs;
  }

  /** It has closed. */
  forget(connection: ClientConnection): void {
    const at = this.#idle.findIndex((entry) => entry.connection === connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  closeAll(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const entry of idle) entry.connection.destroy();
  }

  /** None comes any more. */
  leaveWheel(): void {
    this.#deadline.cancel();
  }

  onDeadline(): void {
    const now = this.#wheel.nowMs;
    const expired = this.#idle.filter((entry) => entry.expiresAtMs <= now);
    this.#idle = this.#idle.filter((entry) => entry.expiresAtMs > now);
    this.#deadline.deadlineMs = this.#idle.reduce(
      (least, entry) => Math.min(least, entry.expiresAtMs),
      Number.POSITIVE_INFINITY,
    );
    this.#stats.upstream_cx_idle_timeout += expired.length;
    for (const entry of expired) entry.connection.destroy();
  }
}
