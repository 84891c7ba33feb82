import { ExactTimer, type Expiring, type TimerWheel, type WheelTimer } from "@fairlead/timer-wheel";

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
export class AttemptTimers implements Expiring {
  readonly #request: TimedRequest;
  readonly #wheel: TimerWheel;
  #whole: ExactTimer | undefined;
  #attempt: ExactTimer | undefined;
  #attemptIdle: ExactTimer | undefined;
  #stream: ExactTimer | undefined;
  #idleMs = 0;
  #wholeStarted = false;
  #wholeEndsMs = Number.POSITIVE_INFINITY;
  /** To be asked for its own time-out. */
  #patience: Patience | undefined;
  #look: WheelTimer | undefined;
  #lookAtMs = 0;

  constructor(request: TimedRequest, wheel: TimerWheel) {
    this.#request = request;
    this.#wheel = wheel;
  }

  /**
   * @param ms 0 = none
   * @param request whose own time-out is a bound too, where it can have one
   */
  startWhole(ms: number, request?: Patience): void {
    if (this.#wholeStarted) return;
    this.#wholeStarted = true;
    if (ms > 0) this.#startWhole(ms);
    if (request === undefined || !("clientTimeoutMs" in request) || (ms > 0 && ms <= LOOK_MS)) return;
    this.#patience = request;
    this.#wholeEndsMs = ms > 0 ? this.#wheel.clockMs + ms : Number.POSITIVE_INFINITY;
    this.#lookAtMs = this.#wheel.clockMs + LOOK_MS;
    this.#look = this.#wheel.timer(this);
    this.#look.deadlineMs = this.#lookAtMs;
  }

  #startWhole(ms: number): void {
    this.#whole ??= new ExactTimer(this.#wheel, () => this.#request.onRequestTimeout());
    this.#whole.start(ms);
  }

  /** @internal the wheel's call: the request has been under way for a while */
  onDeadline(): void {
    const ownMs = this.#patience?.clientTimeoutMs;
    if (ownMs === undefined) return;
    const endsMs = this.#lookAtMs - LOOK_MS + ownMs;
    if (endsMs < this.#wholeEndsMs) this.#startWhole(Math.max(0, endsMs - this.#wheel.clockMs));
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
    this.#look?.cancel();
    this.#attempt?.cancel();
    this.#attemptIdle?.cancel();
    this.#stream?.cancel();
  }

  #attemptTimer(details: string): ExactTimer {
    return new ExactTimer(this.#wheel, () => this.#request.onAttemptTimeout(details));
  }
}
