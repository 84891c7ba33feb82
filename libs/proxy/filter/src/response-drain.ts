import type { OverloadState } from "@fairlead/proxy-overload";

/** What all listeners of a process have in common. */
export interface ServerHealth {
  /** POST /healthcheck/fail: the proxy is to be left, though it serves. */
  failed: boolean;
}

/** What needs a clock and chance. */
export interface ResponseDrainOptions {
  readonly health?: ServerHealth | undefined;
  /** Connections stay also while the health check fails: Envoy's drain_type MODIFY_ONLY. @default false */
  readonly staysWhenFailed?: boolean | undefined;
  readonly overload?: OverloadState | undefined;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Whether a connection ends with a response: with a probability that grows from 0 to 1 over the drain time, so that clients do not all
 * come back at once; always while the health check fails (Envoy's drain manager), or the process is overloaded.
 */
export class ResponseDrain {
  readonly #health: ServerHealth | undefined;
  /** undefined: its failing ends nothing. */
  readonly #closing: ServerHealth | undefined;
  readonly #overload: OverloadState | undefined;
  readonly #now: () => number;
  readonly #random: () => number;
  #startMs = Number.POSITIVE_INFINITY;
  #durationMs = 0;

  constructor(options: ResponseDrainOptions) {
    this.#health = options.health;
    this.#closing = options.staysWhenFailed === true ? undefined : options.health;
    this.#overload = options.overload;
    this.#now = options.now;
    this.#random = options.random;
  }

  /** Whether `closes` is to be asked at all. */
  get active(): boolean {
    return this.#startMs !== Number.POSITIVE_INFINITY || this.#closing?.failed === true || this.overloaded;
  }

  /** Whether connections end because there is too much to do. */
  get overloaded(): boolean {
    return this.#overload?.disablesKeepAlive === true;
  }

  /** Whether the proxy is to be left. */
  get healthFailed(): boolean {
    return this.#health?.failed === true;
  }

  /** A second start changes nothing but to end it sooner. */
  start(durationMs: number): void {
    const now = this.#now();
    if (now + durationMs >= this.#startMs + this.#durationMs) return;
    this.#startMs = Math.min(this.#startMs, now);
    this.#durationMs = durationMs;
  }

  /** For one response. */
  closes(): boolean {
    if (this.#closing?.failed === true || this.overloaded) return true;
    return this.#random() * this.#durationMs < this.#now() - this.#startMs;
  }
}
