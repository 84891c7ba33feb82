import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { stopProcess } from "./stopped-process.ts";

/** What a test may do to a server that runs as a process of its own. */
export interface ServerControl {
  /** Stops its process (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends it as a crash does: SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port, having killed it where it runs. `wipe`: without its data. @default false */
  restart(options?: { readonly wipe?: boolean }): Promise<void>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

export interface ServerFolders {
  /** Removed at the end. */
  readonly folder: string;
  /** What `wipe` removes. */
  readonly data: string;
}

/**
 * Runs what `launch` starts, which resolves when the server takes clients. A test that crashes leaves no server behind.
 *
 * @throws what `launch` throws
 */
export async function runServer(launch: () => Promise<ChildProcess>, folders: ServerFolders): Promise<ServerControl> {
  let child = await launch();
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  return {
    pause: () => stopProcess(child),
    resume: () => child.kill("SIGCONT"),
    kill,
    async restart({ wipe = false } = {}) {
      await kill();
      if (wipe) await rm(folders.data, { recursive: true, force: true });
      child = await launch();
    },
    async stop() {
      process.off("exit", killNow);
      await kill();
      await rm(folders.folder, { recursive: true, force: true });
    },
  };
}
