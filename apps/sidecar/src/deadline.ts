/** A point in time by which something must be answered. */
export class Deadline {
  readonly #endMs: number;
  readonly #now: () => number;

  /** @param now a monotonic clock in milliseconds */
  constructor(timeoutMs: number, now: () => number) {
    this.#now = now;
    this.#endMs = now() + timeoutMs;
  }

  /** Never negative. */
  get remainingMs(): number {
    return Math.max(0, this.#endMs - this.#now());
  }
}

/**
 * The outcome of `work`, or of `late` when it is not there within `timeoutMs`. The work goes on.
 */
export async function within<T>(timeoutMs: number, work: Promise<T>, late: () => T | Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), timeoutMs);
  try {
    const first = await Promise.race([work.then((value) => ({ value })), promise]);
    return first === "late" ? await late() : first.value;
  } finally {
    clearTimeout(timer);
  }
}

/** @throws the signal's reason when it is aborted first */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** The outcome of `work`. @throws the signal's reason when it is aborted first; the work goes on */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
