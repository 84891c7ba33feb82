import { collectStartGarbage } from "@fairlead/dispatcher";
import type { Module } from "@fairlead/lifecycle";
import { EpochLink } from "./epoch-link.ts";
import type { EpochReport } from "./messages.ts";

const READY_CHECK_MS = 50;
const REPORT_EVERY_MS = 1000;

/** What serves, and can hand over to the next process that does. */
export interface ReplaceableModule extends Module {
  /** What it waits for before it may take the place of the process before it; empty = ready. */
  warmingFor(): readonly string[];
  /** Another one serves: stop accepting, hand over, drain. What is registered stays. `stop` follows. */
  retire(): Promise<void>;
}

/** Whether a supervisor has started this process. */
export function isEpoch(): boolean {
  return process.send !== undefined && process.argv.some((argument) => argument.startsWith("--epoch="));
}

/** The supervisor of this process, which stops it as SIGTERM would. Undefined where there is none. */
export async function supervisedBy(): Promise<EpochLink | undefined> {
  if (!isEpoch()) return undefined;
  const link = await EpochLink.join(process);
  let stopping = false;
  process.once("SIGTERM", () => (stopping = true));
  process.once("SIGTERM", endEarly);
  // A terminal that goes away, or a signal to all of its processes, is the supervisor's matter.
  process.on("SIGHUP", () => undefined);
  link.onStop(() => {
    if (!stopping) process.kill(process.pid, "SIGTERM");
  });
  return link;
}

/** Who is to stop while it still imports what it needs has nothing to stop. */
function endEarly(): void {
  process.exit(0);
}

/**
 * The module with its duties to the supervisor, where there is one; `end` ends the process as SIGTERM does. What its start has left in memory
 * goes when it is ready: then a process that replaces another one does not serve yet, and one that does not has just begun.
 */
export function asEpoch(module: ReplaceableModule, link: EpochLink | undefined, end: () => void): Module {
  let check: NodeJS.Timeout | undefined;
  let said = "";
  const checkReady = (): void => {
    const missing = module.warmingFor();
    if (missing.length === 0) {
      clearInterval(check);
      collectStartGarbage();
      link?.ready();
    } else if (missing.join("\n") !== said) {
      said = missing.join("\n");
      link?.waiting(missing);
    }
  };
  return {
    name: module.name,
    async start() {
      process.off("SIGTERM", endEarly);
      link?.onRetire(() => void module.retire().then(end, end));
      await module.start();
      link?.up();
      check = setInterval(checkReady, READY_CHECK_MS);
    },
    async stop() {
      clearInterval(check);
      await module.stop();
    },
  };
}

/** Tells the next process what this one counts while it does its last work. */
export async function reportWhile(link: EpochLink, report: () => EpochReport, work: Promise<void>): Promise<void> {
  link.report(report());
  const timer = setInterval(() => link.report(report()), REPORT_EVERY_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
    link.report(report());
  }
}
