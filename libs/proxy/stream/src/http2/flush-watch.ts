import type { Expiring, TimerWheel, WheelTimer } from "@fairlead/timer-wheel";

/** What of a stream is looked at. */
export interface FlushingStream {
  readonly closed: boolean;
  /** Bytes that wait for windows. */
  readonly queue: { readonly length: number };
}

/**
 * A response that is complete and waits for its client to take it: what made it has ended, and its time-outs with it. A client that
 * takes nothing for so long keeps memory for nothing.
 */
export class FlushWatch implements Expiring {
  readonly #stream: FlushingStream;
  readonly #wheel: TimerWheel;
  readonly #timeoutMs: number;
  readonly #onStuck: () => void;
  readonly #timer: WheelTimer;
  #queuedBytes: number;

  constructor(stream: FlushingStream, wheel: TimerWheel, timeoutMs: number, onStuck: () => void) {
    this.#stream = stream;
    this.#wheel = wheel;
    this.#timeoutMs = timeoutMs;
    this.#onStuck = onStuck;
    this.#queuedBytes = stream.queue.length;
    this.#timer = wheel.timer(this);
    this.#timer.deadlineMs = wheel.nowMs + timeoutMs;
  }

  onDeadline(): void {
    const { closed, queue } = this.#stream;
    if (!closed && queue.length < this.#queuedBytes) {
      this.#queuedBytes = queue.length;
      this.#timer.deadlineMs = this.#wheel.nowMs + this.#timeoutMs;
      return;
    }
    this.#timer.cancel();
    if (!closed) this.#onStuck();
  }

  end(): void {
    this.#timer.cancel();
  }
}
