import { ExactTimer, type Expiring, type TimerWheel, type WheelTimer } from "@fairlead/timer-wheel";

/** What the listener says of all its streams; 0 = none. */
export interface StreamTimeouts {
  readonly streamIdleTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** How long a stream may take, and be quiet. */
export abstract class StreamTimers implements Expiring {
  readonly #deadline: WheelTimer;
  protected requestEnded = false;
  readonly #wheel: TimerWheel;
  #idleTimeoutMs = 0;
  #requestDeadlineMs = Number.POSITIVE_INFINITY;
  #maxDuration: ExactTimer | undefined;

  protected constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
    this.#deadline = wheel.timer(this);
  }

  /** The client took too long to send its request. */
  protected abstract onRequestTimeout(): void;
  /** Nothing moved for too long. */
  protected abstract onIdleTimeout(): void;
  /** The whole took too long. */
  protected abstract onMaxDuration(): void;

  onDeadline(): void {
    if (!this.requestEnded && this.#requestDeadlineMs <= this.#wheel.nowMs) this.onRequestTimeout();
    else this.onIdleTimeout();
  }

  /** @param scale what the idle time is multiplied with: the less, the more there is to do */
  protected startTimeouts({ streamIdleTimeoutMs, requestTimeoutMs }: StreamTimeouts, scale = 1): void {
    this.#idleTimeoutMs = streamIdleTimeoutMs * scale;
    if (streamIdleTimeoutMs === 0 && requestTimeoutMs === 0) return;
    if (requestTimeoutMs > 0) this.#requestDeadlineMs = this.#wheel.nowMs + requestTimeoutMs;
    this.touch();
  }

  /** As if the request, which has ended, had just come. */
  protected restartTimeouts(timeouts: StreamTimeouts, scale?: number): void {
    this.#maxDuration?.cancel();
    this.startTimeouts(timeouts, scale);
  }

  /** The route's takes the place of the listener's. */
  protected setIdleTimeout(ms: number): void {
    this.#idleTimeoutMs = ms;
    this.touch();
  }

  protected setMaxDuration(ms: number): void {
    if (ms === 0) return;
    this.#maxDuration ??= new ExactTimer(this.#wheel, () => this.onMaxDuration());
    this.#maxDuration.start(ms);
  }

  /** The request is not waited for to end any more: it is a tunnel. */
  protected endRequestTimeout(): void {
    this.#requestDeadlineMs = Number.POSITIVE_INFINITY;
    this.touch();
  }

  /** Something moved: the idle time begins anew. */
  protected touch(): void {
    const idleTimeoutMs = this.#idleTimeoutMs;
    const idle = idleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : this.#wheel.nowMs + idleTimeoutMs;
    this.#deadline.deadlineMs = this.requestEnded || idle < this.#requestDeadlineMs ? idle : this.#requestDeadlineMs;
  }

  protected endTimers(): void {
    this.#deadline.cancel();
    this.#maxDuration?.cancel();
  }
}
