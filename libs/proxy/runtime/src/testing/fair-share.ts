import { availableParallelism, loadavg } from "node:os";

/** A bound of time for a process that has a core to itself, for the share of one that it gets on this machine now. */
export function fairShareMs(ms: number): number {
  const [lastMinute = 0] = loadavg();
  return ms * Math.max(1, lastMinute / availableParallelism());
}
