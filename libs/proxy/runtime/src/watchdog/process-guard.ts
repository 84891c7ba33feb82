import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { ThreadBeats } from "./thread-beats.ts";

/** What the guarding thread begins with. */
export interface GuardStart {
  readonly beats: SharedArrayBuffer;
  readonly killMs: number;
  readonly nodeId: string;
}

/**
 * Ends the process when one of its threads is stuck, which the thread itself cannot, nor the first one when it is the one: another one looks.
 *
 * @param killMs for how long a thread may be away from its event loop
 * @returns ends the guard
 */
export function guardProcess(beats: ThreadBeats, killMs: number, nodeId: string): () => void {
  const worker = new Worker(new URL(`./watchdog-thread${extname(import.meta.filename)}`, import.meta.url), {
    workerData: { beats: beats.memory, killMs, nodeId } satisfies GuardStart,
    name: "fairlead watchdog",
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  worker.unref();
  return () => void worker.terminate();
}
