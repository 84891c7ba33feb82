import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const deadlineMs = 2000;

/** Whether no thread of a process runs. Linux; see proc(5). */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) =>
    /^State:\s+[Tt]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8")),
  );
}

/** Stops a process (SIGSTOP). When it returns, no thread of it answers any more: the signal itself reaches them one after the other. */
export function stopProcess(child: ChildProcess): void {
  child.kill("SIGSTOP");
  const { pid } = child;
  if (pid === undefined) return;
  for (const end = performance.now() + deadlineMs; !isStopped(pid);)
    if (performance.now() > end) throw new Error(`process ${pid} did not stop within ${deadlineMs} ms`);
}
