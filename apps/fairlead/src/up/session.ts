import type { UpOptions } from "./up-options.ts";
import type { Progress } from "../terminal/progress.ts";
import { defaultDataFolder, openDataFolder } from "./data-folder.ts";
import { LocalMesh } from "./local-mesh.ts";
import type { ManagedProcess, ProcessEnd } from "./managed-process.ts";
import { assertFree, contractPorts, FreePorts, type PortPlan, portsFrom } from "./ports.ts";
import { isZooKeeperInstalled } from "./zookeeper-installed.ts";

async function choosePorts(
  options: Pick<UpOptions, "freePorts" | "portBase">,
  freePorts: FreePorts,
): Promise<PortPlan> {
  if (options.freePorts === true) return await freePorts.plan();
  const plan = options.portBase === undefined ? contractPorts : portsFrom(options.portBase);
  await assertFree(plan);
  return plan;
}

export interface Session {
  readonly mesh: LocalMesh;
  /** Aborted when the session is to end: a signal, or a process that crashed. */
  readonly ending: AbortSignal;
  /** Why it ends by itself, where it does. */
  readonly crash: () => Promise<Error | undefined>;
}

export interface SessionOptions {
  readonly up: Pick<UpOptions, "freePorts" | "portBase" | "dataFolder">;
  readonly temporaryFolder: boolean;
  readonly progress: Progress;
  /** Decides on a crash. @returns true when it has dealt with it, false to end the session */
  readonly onCrash?: (mesh: LocalMesh, process: ManagedProcess, end: ProcessEnd) => boolean;
}

/**
 * The frame of `fairlead up`: chooses ports, takes the data folder, runs `work` on a mesh, and stops everything that was started, whether
 * the work is done, SIGINT, SIGTERM or SIGHUP came, or a process of the mesh crashed. A second SIGINT ends it at once.
 *
 * @returns what `work` gives; undefined when a signal ended it before
 * @throws FairleadError FL_UP_PROCESS_ENDED when a process crashed; what `work` throws
 */
export async function withMesh<T>(
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T | undefined> {
  const ending = new AbortController();
  let crash: Promise<Error> | undefined;
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals > 1 && signal === "SIGINT") process.exit(130); // the children see their channel close, and end too
    ending.abort();
  };
  const heard = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of heard) process.on(signal, onSignal);
  try {
    const freePorts = new FreePorts();
    const ports = await choosePorts(options.up, freePorts);
    const folder = await openDataFolder(
      options.temporaryFolder ? undefined : (options.up.dataFolder ?? defaultDataFolder()),
    );
    try {
      const databaseUrl = process.env["FAIRLEAD_DATABASE_URL"];
      const mesh: LocalMesh = new LocalMesh({
        folder,
        ports,
        freePorts,
        progress: options.progress,
        databaseUrl: databaseUrl === "" ? undefined : databaseUrl,
        zooKeeper: isZooKeeperInstalled(),
        onCrash(crashed, end) {
          if (options.onCrash?.(mesh, crashed, end) === true) return;
          crash ??= crashed.crashError(end);
          ending.abort();
        },
      });
      const ended = new Promise<undefined>((resolve) =>
        ending.signal.addEventListener("abort", () => resolve(undefined), { once: true }),
      );
      try {
        const working = work({ mesh, ending: ending.signal, crash: async () => await crash });
        working.catch(() => undefined); // what it throws after the end was caused by the end
        const result = await Promise.race([working, ended]);
        if (crash !== undefined) throw await crash;
        return result;
      } finally {
        if (ending.signal.aborted) options.progress.line("Stopping …");
        await mesh.stop();
      }
    } finally {
      await folder.release();
    }
  } finally {
    for (const signal of heard) process.off(signal, onSignal);
  }
}
