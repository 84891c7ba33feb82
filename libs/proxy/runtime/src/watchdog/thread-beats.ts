/** Of each thread: when it was last seen at work, and how late it was. */
const FIELDS = 2;
export const BEAT_MS = 50;
/** What is told is the worst of the last one to two of these. */
const WINDOW_MS = 1000;

/** Milliseconds that count on alike in all threads of a process. */
export function processClockMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** The same as a clock that costs less to read. */
export function processNow(): () => number {
  const aheadMs = processClockMs() - performance.now();
  return () => performance.now() + aheadMs;
}

/** Signs of life in shared memory: a thread that is busy tells nothing, and that is what is seen. */
export class ThreadBeats {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Float64Array;

  /** @param memory of another thread; a number makes it for so many threads */
  constructor(memory: SharedArrayBuffer | number) {
    this.memory = typeof memory === "number" ? new SharedArrayBuffer(memory * FIELDS * 8) : memory;
    this.#cells = new Float64Array(this.memory);
  }

  get threads(): number {
    return this.#cells.length / FIELDS;
  }

  /** 0 = it has not begun, or has ended. */
  lastMs(thread: number): number {
    return this.#cells[thread * FIELDS]!;
  }

  /** The longest that its event loop has been late lately. */
  delayMs(thread: number): number {
    return this.#cells[thread * FIELDS + 1]!;
  }

  note(thread: number, nowMs: number, delayMs: number): void {
    this.#cells[thread * FIELDS] = nowMs;
    this.#cells[thread * FIELDS + 1] = delayMs;
  }

  forget(thread: number): void {
    this.note(thread, 0, 0);
  }
}

/** The beat of one thread, and how late it comes. */
export class Heart {
  readonly #now: () => number;
  readonly #onBeat: (nowMs: number, lateMs: number, delayMs: number) => void;
  #last: number;
  #windowStart: number;
  #worst = 0;
  #worstBefore = 0;

  /** @param onBeat `delayMs`: the worst lately */
  constructor(onBeat: (nowMs: number, lateMs: number, delayMs: number) => void, now: () => number = processClockMs) {
    this.#now = now;
    this.#onBeat = onBeat;
    this.#last = now();
    this.#windowStart = this.#last;
    onBeat(this.#last, 0, 0);
  }

  /** To be called each `BEAT_MS`. */
  beat(): void {
    const now = this.#now();
    const lateMs = Math.max(0, now - this.#last - BEAT_MS);
    this.#last = now;
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#worstBefore = this.#worst;
      this.#worst = 0;
      this.#windowStart = now;
    }
    this.#worst = Math.max(this.#worst, lateMs);
    this.#onBeat(now, lateMs, Math.max(this.#worst, this.#worstBefore));
  }
}

/** The calling thread beats from now on. @returns ends it */
export function beginBeat(beats: ThreadBeats, thread: number, onLate?: (lateMs: number) => void): () => void {
  const heart = new Heart((nowMs, lateMs, delayMs) => {
    beats.note(thread, nowMs, delayMs);
    if (lateMs > 0) onLate?.(lateMs);
  });
  const timer = setInterval(() => heart.beat(), BEAT_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    beats.forget(thread);
  };
}
