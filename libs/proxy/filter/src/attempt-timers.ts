import { ExactTimer, type TimerWheel } from "@fairlead/timer-wheel";

/** Who is told. */
export interface TimedRequest {
  onRequestTimeout(): void;
  /** @param details of the response */
  onAttemptTimeout(details: string): void;
  /** An attempt and its response took too long together. */
  onStreamDuration(): void;
}

/** The time-outs of a forwarded request: of the whole, of an attempt, and of the quiet of an attempt. */
export class AttemptTimers {
  readonly #request: TimedRequest;
  readonly #wheel: TimerWheel;
  #whole: ExactTimer | undefined;
  #attempt: ExactTimer | undefined;
  #attemptIdle: ExactTimer | undefined;
  #stream: ExactTimer | undefined;
  #idleMs = 0;

  constructor(request: TimedRequest, wheel: TimerWheel) {
    this.#request = request;
    this.#wheel = wheel;
  }

  /** @param ms 0 = none */
  startWhole(ms: number): void {
    if (ms === 0 || this.#whole !== undefined) return;
    this.#whole = new ExactTimer(this.#wheel, () => this.#request.onRequestTimeout());
    this.#whole.start(ms);
  }

  startAttempt(ms: number, idleMs: number): void {
    this.endAttempt();
    if (ms > 0) {
      this.#attempt ??= this.#attemptTimer("upstream_per_try_timeout");
      this.#attempt.start(ms);
    }
    this.#idleMs = idleMs;
    if (idleMs > 0) {
      this.#attemptIdle ??= this.#attemptTimer("upstream_per_try_idle_timeout");
      this.#attemptIdle.start(idleMs);
    }
  }

  /** From the attempt's connection to the end of its response. */
  startStream(ms: number): void {
    this.#stream ??= new ExactTimer(this.#wheel, () => this.#request.onStreamDuration());
    this.#stream.start(ms);
  }

  /** The attempt has a response: only its quiet is still looked at. */
  onResponse(): void {
    this.#attempt?.stop();
    this.onActivity();
  }

  onActivity(): void {
    if (this.#attemptIdle?.running === true) this.#attemptIdle.start(this.#idleMs);
  }

  endAttempt(): void {
    this.#attempt?.stop();
    this.#attemptIdle?.stop();
    this.#stream?.stop();
  }

  end(): void {
    this.#whole?.cancel();
    this.#attempt?.cancel();
    this.#attemptIdle?.cancel();
    this.#stream?.cancel();
  }

  #attemptTimer(details: string): ExactTimer {
    return new ExactTimer(this.#wheel, () => this.#request.onAttemptTimeout(details));
  }
}
