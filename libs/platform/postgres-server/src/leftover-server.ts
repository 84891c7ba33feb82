import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long a server may take to end after SIGINT before it is killed. */
export const stopDeadlineMs = 10_000;
const pollMs = 20;

/** The command line of a process; empty when there is none. */
async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === "linux") return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
    return (await run("ps", ["-p", String(pid), "-o", "command="])).stdout;
  } catch {
    return "";
  }
}

/**
 * Ends what an earlier process left running on this cluster, when that process was killed. A process is only touched when
 * its command line names the cluster: the number in postmaster.pid may belong to something else by now, and then
 * the file is removed, as PostgreSQL would refuse to start beside it.
 */
export async function stopLeftoverServer(clusterFolder: string): Promise<void> {
  const pidFile = join(clusterFolder, "postmaster.pid");
  const text = await readFile(pidFile, "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const isOurs = async () => (await commandOf(pid)).includes(clusterFolder);
  if (!(await isOurs())) {
    await rm(pidFile, { force: true });
    return;
  }
  process.kill(pid, "SIGINT");
  process.kill(pid, "SIGCONT"); // it may have been stopped
  const deadline = Date.now() + stopDeadlineMs;
  while (await isOurs()) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await sleep(pollMs);
  }
}
