import { ExactTimer, type TimerWheel } from "@fairlead/timer-wheel";

/**
 * How long a request has been under way when its client's own time-out is looked up. In Dubbo that is work that most calls are over
 * before; a client whose time-out is shorter has given up by then, and has not been waiting for our word.
 */
const LOOK_MS = 250;

/** What a request says of its own patience. */
export interface Patience {
  readonly clientTimeoutMs?: number | undefined;
}

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
  #wholeMs = 0;
  /** Has not been asked for its own time-out yet. */
  #unasked: Patience | undefined;

  constructor(request: TimedRequest, wheel: TimerWheel) {
    this.#request = request;
    this.#wheel = wheel;
  }

  /**
   * @param ms 0 = none
   * @param request whose own time-out is a bound too, where it can have one
   */
  startWhole(ms: number, request?: Patience): void {
    const asks = request !== undefined && "clientTimeoutMs" in request;
    if ((ms === 0 && !asks) || this.#whole !== undefined) return;
    this.#wholeMs = ms;
    if (asks && (ms === 0 || ms > LOOK_MS)) this.#unasked = request;
    this.#whole = new ExactTimer(this.#wheel, () => this.#onWhole());
    this.#whole.start(this.#unasked === undefined ? ms : LOOK_MS);
  }

  #onWhole(): void {
    const unasked = this.#unasked;
    this.#unasked = undefined;
    if (unasked === undefined) {
      this.#request.onRequestTimeout();
      return;
    }
    const own = this.#wholeMs === 0 ? Number.POSITIVE_INFINITY : this.#wholeMs;
    const restMs = Math.min(own, unasked.clientTimeoutMs ?? Number.POSITIVE_INFINITY) - LOOK_MS;
    if (restMs <= 0) this.#request.onRequestTimeout();
    else if (restMs !== Number.POSITIVE_INFINITY) this.#whole?.start(restMs);
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
