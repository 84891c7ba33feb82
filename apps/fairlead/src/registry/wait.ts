import { FairleadError } from "@fairlead/errors";
import { waitQuerySchema } from "@fairlead/registration";
import "../errors.ts";

export interface WaitOptions {
  readonly wait?: boolean;
  /** With a unit: 500ms, 10s, 2m. */
  readonly timeout: string;
}

function waitMs({ timeout }: WaitOptions): number {
  const parsed = waitQuerySchema.safeParse({ timeout });
  if (parsed.success) return parsed.data.timeout;
  throw new FairleadError("FL_CLI_USAGE", `--timeout ${timeout}: ${parsed.error.issues[0]?.message ?? "not a time"}`);
}

/** `wait=converged&timeout=10s`, where it is asked for. @throws FairleadError FL_CLI_USAGE for a time-out that is none */
export function waitQuery(options: WaitOptions): URLSearchParams {
  waitMs(options);
  return new URLSearchParams(options.wait === true ? { wait: "converged", timeout: options.timeout } : {});
}

/** How long an answer may take to come: the wait, and the request itself. */
export function timeoutMsOf(options: WaitOptions): number {
  return (options.wait === true ? waitMs(options) : 0) + 10_000;
}
