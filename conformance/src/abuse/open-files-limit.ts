import { readFileSync } from "node:fs";

/** What `ulimit -n` says for this process. */
export function openFilesLimit(): number {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return found?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(found?.[1] ?? 0);
}
