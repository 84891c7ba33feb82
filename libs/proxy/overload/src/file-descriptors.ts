import { readFileSync } from "node:fs";

/** Listening sockets, the control plane, logs, health checks, and what Node itself has open. */
const OF_THE_PROXY = 64;

/**
 * Files and sockets that this process may have open.
 *
 * @returns undefined when it is not limited, or not told
 */
export function openFileLimit(file = "/proc/self/limits"): number | undefined {
  try {
    const [, soft = ""] = /^Max open files +(\S+)/m.exec(readFileSync(file, "utf8")) ?? [];
    return /^\d+$/.test(soft) ? Number(soft) : undefined;
  } catch {
    return undefined;
  }
}

/** What is used, if each connection of a client has one to a host: counting them would cost more the more there are. */
export function descriptorShare(connections: number, limit: number): number {
  return (OF_THE_PROXY + 2 * connections) / limit;
}
