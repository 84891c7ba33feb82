/** Of each thread: when it was last seen at work, and how late it was. */
const FIELDS = 2;
const BEAT_MS = 50;
/** What is told is the worst of the last one to two of these. */
const WINDOW_MS = 1000;

/** Milliseconds that count on alike in all threads of a process. */
export function processClockMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
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

  /** 0 = it has not begun, or has ended. */
  lastMs(thread: number): number {
    return this.#cells[thread * FIELDS]!;
  }

  /** The longest that its event loop has been late lately. */
  delayMs(thread: number): number {
    return this.#cells[thread * FIELDS + 1]!;
  }

  forget(thread: number): void {
    this.#cells.fill(0, thread * FIELDS, (thread + 1) * FIELDS);
  }

  /** Beats from now on for the calling thread. @returns ends it */
  begin(thread: number, onLate: (lateMs: number) => void = () => undefined): () => void {
    const at = thread * FIELDS;
    let last = processClockMs();
    let windowStart = last;
    let worst = 0;
    let worstBefore = 0;
    this.#cells[at] = last;
    const timer = setInterval(() => {
      const now = processClockMs();
      const lateMs = Math.max(0, now - last - BEAT_MS);
      last = now;
      if (now - windowStart >= WINDOW_MS) {
        worstBefore = worst;
        worst = 0;
        windowStart = now;
      }
      worst = Math.max(worst, lateMs);
      this.#cells[at] = now;
      this.#cells[at + 1] = Math.max(worst, worstBefore);
      onLate(lateMs);
    }, BEAT_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      this.forget(thread);
    };
  }
}
