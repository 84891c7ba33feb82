/** Who is told. */
export interface TimedRequest {
  onRequestTimeout(): void;
  /** @param details of the response */
  onAttemptTimeout(details: string): void;
}

/** The time-outs of a forwarded request: of the whole, of an attempt, and of the quiet of an attempt. */
export class AttemptTimers {
  readonly #request: TimedRequest;
  #whole: NodeJS.Timeout | undefined;
  #attempt: NodeJS.Timeout | undefined;
  #attemptIdle: NodeJS.Timeout | undefined;

  constructor(request: TimedRequest) {
    this.#request = request;
  }

  /** @param ms 0 = none */
  startWhole(ms: number): void {
    if (ms > 0 && this.#whole === undefined) this.#whole = setTimeout(() => this.#request.onRequestTimeout(), ms);
  }

  startAttempt(ms: number, idleMs: number): void {
    this.endAttempt();
    if (ms === 0 && idleMs === 0) return;
    const onAttemptTimeout = (details: string): void => this.#request.onAttemptTimeout(details);
    if (ms > 0) this.#attempt = setTimeout(onAttemptTimeout, ms, "upstream_per_try_timeout");
    if (idleMs > 0) this.#attemptIdle = setTimeout(onAttemptTimeout, idleMs, "upstream_per_try_idle_timeout");
  }

  /** The attempt has a response: only its quiet is still looked at. */
  onResponse(): void {
    if (this.#attempt !== undefined) clearTimeout(this.#attempt);
    this.#attemptIdle?.refresh();
  }

  onActivity(): void {
    this.#attemptIdle?.refresh();
  }

  endAttempt(): void {
    if (this.#attempt !== undefined) clearTimeout(this.#attempt);
    if (this.#attemptIdle !== undefined) clearTimeout(this.#attemptIdle);
    this.#attempt = undefined;
    this.#attemptIdle = undefined;
  }

  end(): void {
    if (this.#whole !== undefined) clearTimeout(this.#whole);
    this.endAttempt();
  }
}
