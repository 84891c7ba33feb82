/** One input that breaks a promise. */
export interface Failure {
  readonly input: Buffer;
  readonly reason: string;
}

/** Of one input of some kB on a busy machine; nothing that is linear takes so long. */
const SLOW_MS = 500;
/** What a few kB may leave behind for the collector. */
const MUCH_BYTES = 256 * 1024 * 1024;

function heldBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Runs one input. @returns its outcome, or the promise that it broke */
export function attempt(run: (bytes: Buffer) => string, input: Buffer): { readonly outcome: string } | Failure {
  const cpu = process.cpuUsage();
  const memory = input.length % 16 === 0 ? heldBytes() : undefined;
  try {
    const outcome = run(input);
    const { user } = process.cpuUsage(cpu);
    if (user / 1000 > SLOW_MS) return { input, reason: `it takes ${Math.round(user / 1000)} ms` };
    // Dear to ask: now and then is enough, as inputs come in many versions.
    const more = memory === undefined ? 0 : heldBytes() - memory;
    if (more > MUCH_BYTES) return { input, reason: `it takes ${Math.round(more / 2 ** 20)} MiB` };
    return { outcome };
  } catch (error) {
    return { input, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** The smallest part of an input that fails still; for whatever reason. */
export function minimise(run: (bytes: Buffer) => string, failure: Failure): Failure {
  let best = failure;
  for (let step = failure.input.length >> 1; step >= 1; step >>= 1) {
    for (let at = 0; at < best.input.length;) {
      const shorter = Buffer.concat([best.input.subarray(0, at), best.input.subarray(at + step)]);
      const result = attempt(run, shorter);
      if ("reason" in result) best = result;
      else at += step;
    }
  }
  return best;
}
