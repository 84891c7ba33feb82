import { processClockMs, type ThreadBeats } from "./thread-beats.ts";

export const LOOK_MS = 100;

export interface LongSilence {
  /** 0 = the first one. */
  readonly thread: number;
  readonly silentMs: number;
}

/** Finds threads that have been silent for too long, while the looking one was awake: a process that was stopped for a while was not stuck. */
export class LongSilences {
  readonly #beats: ThreadBeats;
  readonly #maxSilentMs: number;
  readonly #now: () => number;
  readonly #threads: { lastMs: number; silentMs: number }[];
  #lookedMs: number;

  constructor(beats: ThreadBeats, maxSilentMs: number, now: () => number = processClockMs) {
    this.#beats = beats;
    this.#maxSilentMs = maxSilentMs;
    this.#now = now;
    this.#threads = Array.from({ length: beats.threads }, () => ({ lastMs: 0, silentMs: 0 }));
    this.#lookedMs = now();
  }

  /** To be called each `LOOK_MS`. */
  look(): LongSilence | undefined {
    const now = this.#now();
    const awakeMs = Math.min(now - this.#lookedMs, 2 * LOOK_MS);
    this.#lookedMs = now;
    for (const [thread, known] of this.#threads.entries()) {
      const lastMs = this.#beats.lastMs(thread);
      // 0: it has not begun, or has ended.
      known.silentMs = lastMs === 0 || lastMs !== known.lastMs ? 0 : known.silentMs + awakeMs;
      known.lastMs = lastMs;
      if (known.silentMs > this.#maxSilentMs) return { thread, silentMs: Math.round(known.silentMs) };
    }
    return undefined;
  }
}
