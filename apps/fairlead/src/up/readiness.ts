import { setTimeout as pause } from "node:timers/promises";
import { FairleadError } from "@fairlead/errors";
import type { ManagedProcess } from "./managed-process.ts";
import "../errors.ts";

const pollMs = 25;

/** Asks again until `condition` holds. @throws FairleadError FL_UP_NOT_READY after `deadlineMs` with what `reason` gives then */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined>,
  deadlineMs: number,
  reason: () => string = () => "",
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined) return value;
    if (performance.now() > end) {
      const why = reason();
      throw new FairleadError(
        "FL_UP_NOT_READY",
        `${what}: not within ${deadlineMs / 1000} s${why === "" ? "" : `; ${why}`}`,
        {
          facts: { what, deadlineMs },
        },
      );
    }
    await pause(pollMs);
  }
}

/**
 * Resolves once `url` answers 200.
 *
 * @throws FairleadError FL_UP_PROCESS_ENDED when the process ends before that, FL_UP_NOT_READY with what it waits for
 */
export async function untilReady(process: ManagedProcess, url: string, deadlineMs = 30_000): Promise<void> {
  let last = "no answer";
  await eventually(
    `${process.name} ready at ${url}`,
    async () => {
      if (!process.running) throw await process.crashError(await process.ended);
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
        if (response.ok) return true;
        last = `${response.status} ${(await response.text()).slice(0, 300)}`;
      } catch (error) {
        last = (error as Error).message;
      }
      return undefined;
    },
    deadlineMs,
    () => `last answer: ${last}; log: ${process.logFile}`,
  );
}
