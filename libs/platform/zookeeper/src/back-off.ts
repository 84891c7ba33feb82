import { setTimeout as pause } from "node:timers/promises";

const firstMs = 50;
const maxMs = 5_000;

/** Waits twice as long each time, give or take a half, so that not all clients of a server come at once. */
export class BackOff {
  #nextMs = firstMs;

  reset(): void {
    this.#nextMs = firstMs;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const waitMs = this.#nextMs * (0.5 + Math.random());
    this.#nextMs = Math.min(this.#nextMs * 2, maxMs);
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
