import { setTimeout as pause } from "node:timers/promises";

const pollMs = 5;

/** Nothing yet is `undefined` or `false`; all else is found. */
type Found<T> = T | undefined | false;

/**
 * Asks `condition` again and again until it holds, or has found something. What it throws ends the wait at once: a
 * connection that is refused is no "not yet", but where a test says so.
 *
 * @returns what it found
 * @throws Error naming `what` after `deadlineMs`
 */
export async function until<T>(
  what: string,
  condition: () => Found<T> | Promise<Found<T>>,
  deadlineMs = 10_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(pollMs);
  }
}
