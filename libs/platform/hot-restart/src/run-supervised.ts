import { runMain } from "@fairlead/lifecycle";
import type { Logger } from "@fairlead/logging";
import { EpochLink } from "./epoch-link.ts";
import { Supervisor } from "./supervisor.ts";

export interface SupervisorSettings {
  readonly logger: Logger;
  /** The module that serves: the same program, run again as an epoch. */
  readonly main: string;
  /** How long a new process may take until it can serve, in milliseconds. */
  readonly readyTimeoutMs: number;
  /** How long a replaced one may serve what is under way, in milliseconds. */
  readonly drainTimeoutMs: number;
}

/** A replaced process that does not end by itself so long after its drain time-out is ended. */
const RETIRE_GRACE_MS = 10_000;

/** Whether a supervisor has started this process. */
export function isEpoch(): boolean {
  return process.send !== undefined && process.argv.some((argument) => argument.startsWith("--epoch="));
}

/** The body of `main.ts` of a supervisor: SIGHUP starts the next epoch, SIGTERM and SIGINT stop all, SIGUSR1 goes to the epochs. */
export async function runSupervisor(build: () => Promise<SupervisorSettings>): Promise<void> {
  await runMain(async () => {
    const { logger, main, readyTimeoutMs, drainTimeoutMs } = await build();
    const supervisor = new Supervisor({
      program: { main, arguments: process.argv.slice(2) },
      logger,
      readyTimeoutMs,
      retireTimeoutMs: drainTimeoutMs + RETIRE_GRACE_MS,
      onQuit: () => process.kill(process.pid, "SIGTERM"),
    });
    process.on("SIGHUP", () => supervisor.restart());
    process.on("SIGUSR1", () => supervisor.signal("SIGUSR1"));
    return { logger, module: supervisor };
  });
}

/** The supervisor of this process, which stops it as SIGTERM would. Undefined where there is none. */
export async function supervisedBy(): Promise<EpochLink | undefined> {
  if (!isEpoch()) return undefined;
  const link = await EpochLink.join(process as never);
  let stopping = false;
  process.once("SIGTERM", () => (stopping = true));
  // A terminal that goes away, or a signal to all of its processes, is the supervisor's matter.
  process.on("SIGHUP", () => undefined);
  link.onStop(() => {
    if (!stopping) process.kill(process.pid, "SIGTERM");
  });
  return link;
}
