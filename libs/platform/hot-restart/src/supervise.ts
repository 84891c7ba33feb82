import type { Module } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { Supervisor } from "./supervisor.ts";

export interface SuperviseOptions {
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  /** The module that serves: the same program, run again as an epoch. */
  readonly main: string;
  /** How long a new process may take until it can serve, in milliseconds. */
  readonly readyTimeoutMs: number;
  /** How long a replaced one may serve what is under way, in milliseconds. */
  readonly drainTimeoutMs: number;
}

/** A replaced process that does not end by itself so long after its drain time-out is ended. */
const RETIRE_GRACE_MS = 10_000;

/** What a program is that others serve for: SIGHUP starts the next epoch, SIGUSR1 goes to the epochs. Its stop is theirs. */
export function supervise({ logger, main, readyTimeoutMs, drainTimeoutMs }: SuperviseOptions): Module {
  const supervisor = new Supervisor({
    program: { main, arguments: process.argv.slice(2) },
    logger,
    readyTimeoutMs,
    retireTimeoutMs: drainTimeoutMs + RETIRE_GRACE_MS,
    onQuit: () => process.kill(process.pid, "SIGTERM"),
  });
  process.on("SIGHUP", () => supervisor.restart());
  process.on("SIGUSR1", () => supervisor.signal("SIGUSR1"));
  return supervisor;
}
