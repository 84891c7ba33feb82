import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CannotRun } from "./envoy-binary.ts";

const run = promisify(execFile);

/** The newest release that the Go module proxy has; later ones were tagged in a way that Go modules do not take. */
export const h2specVersion = "v2.2.1+incompatible";

export interface H2specBinaries {
  /** Tests a server. */
  readonly h2spec: string;
  /** Tests a client. */
  readonly h2specd: string;
}

/** It tells our client which case is next. */
async function requireCurl(): Promise<void> {
  try {
    await run("curl", ["--version"]);
  } catch (cause) {
    throw new CannotRun("curl is needed (Debian: apt-get install curl)", { cause });
  }
}

/**
 * h2spec, built from source with the machine's Go; once, then used again. A folder in FAIRLEAD_H2SPEC_BIN with both binaries is
 * taken instead.
 *
 * @throws CannotRun
 */
export async function h2specBinaries(): Promise<H2specBinaries> {
  await requireCurl();
  const given = process.env["FAIRLEAD_H2SPEC_BIN"];
  const folder = given ?? join(tmpdir(), `fairlead-conformance-h2spec-${h2specVersion}`);
  const binaries = { h2spec: join(folder, "h2spec"), h2specd: join(folder, "h2specd") };
  if (existsSync(binaries.h2spec) && existsSync(binaries.h2specd)) return binaries;
  if (given !== undefined) throw new CannotRun(`FAIRLEAD_H2SPEC_BIN=${given} has no h2spec and h2specd`);
  await mkdir(folder, { recursive: true });
  process.stdout.write(`building h2spec ${h2specVersion} into ${folder}\n`);
  const names = ["h2spec", "h2specd"].map((name) => `github.com/summerwind/h2spec/cmd/${name}@${h2specVersion}`);
  try {
    await run("go", ["install", ...names], { env: { ...process.env, GOBIN: folder, GOFLAGS: "-mod=mod" } });
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const reason = missing ? "Go is needed (Debian: apt-get install golang-go)" : "is the Go module proxy reachable?";
    throw new CannotRun(`h2spec cannot be built; ${reason}`, { cause });
  }
  return binaries;
}
