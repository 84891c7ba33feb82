import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";

/** What happens in this process takes a few turns of its event loop: so often it is asked after each. */
const quickRounds = 20;
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
  for (let round = 0; ; round++) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await (round < quickRounds ? turn() : pause(pollMs));
  }
}
