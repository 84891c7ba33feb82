const LOOK_MS = 20;

/**
 * Waits until nothing has gone on for a while.
 *
 * @param activity undefined while something is going on, else a number that grows with all that has gone on
 * @returns false when that was not so for `quietMs` within `timeoutMs`
 */
export function waitForQuiet(
  activity: () => number | undefined,
  now: () => number,
  wait: { readonly quietMs: number; readonly timeoutMs: number },
): Promise<boolean> {
  const start = now();
  let quietSince = start;
  let last = activity();
  return new Promise((resolve) => {
    const look = (): void => {
      const current = activity();
      const at = now();
      if (current === undefined || current !== last) quietSince = at;
      last = current;
      if (current !== undefined && at - quietSince >= wait.quietMs) resolve(true);
      else if (at - start >= wait.timeoutMs) resolve(false);
      else setTimeout(look, Math.min(LOOK_MS, Math.max(1, wait.quietMs)));
    };
    look();
  });
}
