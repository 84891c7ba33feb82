import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Debian puts servers into sbin, which is not on everybody's PATH. */
const alsoLookIn = ["/usr/sbin", "/usr/local/sbin"];

async function find(command: string, alsoFile: string | undefined): Promise<string | undefined> {
  if (alsoFile !== undefined && !(await exists(alsoFile, constants.R_OK))) return undefined;
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), ...alsoLookIn]) {
    const path = join(folder, command);
    if (await exists(path, constants.X_OK)) return path;
  }
  return undefined;
}

async function exists(path: string, mode: number): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}

/**
 * Finds a program that tests run. Where it is missing and this is root on Debian, its package is installed,
 * by one process at a time.
 *
 * @param alsoFile a file that the package has to bring, too: a jar
 * @returns its path
 * @throws Error that says what to install: a test that cannot run fails, it is not skipped
 */
export async function requireCommand(command: string, debianPackage: string, alsoFile?: string): Promise<string> {
  const present = await find(command, alsoFile);
  if (present !== undefined) return present;
  const advice = `${command} is not on PATH${alsoFile === undefined ? "" : `, or ${alsoFile} is missing`}. Install it: apt-get install ${debianPackage} on Debian and Ubuntu, or put the program on PATH`;
  if (process.getuid?.() !== 0 || (await find("apt-get", undefined)) === undefined) throw new Error(`${advice}.`);
  const there = alsoFile === undefined ? `command -v ${command}` : `test -e ${alsoFile}`;
  const install = `${there} || { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${debianPackage}; }`;
  try {
    await run("flock", [join(tmpdir(), "fairlead-apt.lock"), "sh", "-c", install], {
      timeout: 300_000,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (cause) {
    throw new Error(`${advice}; installing it with apt-get failed.`, { cause });
  }
  const installed = await find(command, alsoFile);
  if (installed === undefined)
    throw new Error(`${advice}; the Debian package ${debianPackage} was installed and does not hold it.`);
  return installed;
}
