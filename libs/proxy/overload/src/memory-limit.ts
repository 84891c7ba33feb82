import { readFileSync } from "node:fs";

/** A cgroup without a limit has a number beyond any memory (version 1). */
const NO_LIMIT_BYTES = 2 ** 60;

/** Where the limit of this process's cgroup is: version 2 in a container, version 1. */
const limitFiles = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/**
 * What the process may use before the system ends it.
 *
 * @returns undefined when there is no limit
 */
export function memoryLimitBytes(files: readonly string[] = limitFiles): number | undefined {
  for (const file of files) {
    try {
      const bytes = Number(readFileSync(file, "utf8").trim());
      return Number.isFinite(bytes) && bytes > 0 && bytes < NO_LIMIT_BYTES ? bytes : undefined;
    } catch {
      // Not that version.
    }
  }
  return undefined;
}
