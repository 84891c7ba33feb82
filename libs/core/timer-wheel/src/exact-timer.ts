import type { TimerWheel } from "./timer-wheel.ts";
import type { WheelTimer } from "./wheel-timer.ts";

/**
 * A time-out that is met to the millisecond, at the price of a coarse one as long as it is not met: the wheel wakes it shortly
 * before, and only then it takes a timer of its own.
 *
 * For what is started with each request and hardly ever met: a `setTimeout` costs ten times as much to make and clear.
 */
export class ExactTimer {
  readonly #wheel: TimerWheel;
  readonly #onTimeout: () => void;
  readonly #coarse: WheelTimer;
  #exact: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(wheel: TimerWheel, onTimeout: () => void) {
    this.#wheel = wheel;
    this.#onTimeout = onTimeout;
    this.#coarse = wheel.timer(this);
  }

  get running(): boolean {
    return this.#atMs !== Number.POSITIVE_INFINITY;
  }

  /** From now on; what it was waiting for before is forgotten. */
  start(ms: number): void {
    if (this.#exact !== undefined) this.#clearExact();
    const { clockMs, latenessMs } = this.#wheel;
    this.#atMs = clockMs + ms;
    if (ms > latenessMs) this.#coarse.deadlineMs = this.#atMs - latenessMs;
    else this.#wait(ms);
  }

  /** Until it is started again. */
  stop(): void {
    if (this.#exact !== undefined) this.#clearExact();
    this.#atMs = Number.POSITIVE_INFINITY;
    this.#coarse.deadlineMs = Number.POSITIVE_INFINITY;
  }

  /** For good. */
  cancel(): void {
    this.stop();
    this.#coarse.cancel();
  }

  /** @internal the wheel's call */
  onDeadline(): void {
    this.#wait(Math.max(0, this.#atMs - this.#wheel.clockMs));
  }

  #wait(ms: number): void {
    this.#coarse.deadlineMs = Number.POSITIVE_INFINITY;
    this.#exact = setTimeout(() => {
      this.#exact = undefined;
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#onTimeout();
    }, ms);
  }

  #clearExact(): void {
    clearTimeout(this.#exact);
    this.#exact = undefined;
  }
}
