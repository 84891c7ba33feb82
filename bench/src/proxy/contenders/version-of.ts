import { spawnSync } from "node:child_process";

/** Of a program of the system: its version for readers, or that it is not there. */
export function versionOf(
  program: string,
  args: readonly string[],
  pattern: RegExp,
): { readonly note?: string; readonly missing?: string } {
  const run = spawnSync(program, args, { encoding: "utf8" });
  if (run.error !== undefined) return { missing: `${program} is not installed` };
  return { note: pattern.exec(`${run.stdout}${run.stderr}`)?.[1] ?? "unknown version" };
}
