import { createHash, randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { canReach, type ServerAccount } from "./server-account.ts";

/** The database account that owns everything. */
export const databaseUser = "fairlead";

export interface ClusterFolder {
  /** PostgreSQL's data directory. */
  readonly path: string;
  /** Of `databaseUser`, random, kept beside the cluster so that only its owner and root can log in. */
  readonly password: string;
}

/**
 * The folder that holds the cluster: `dataFolder`, or, where the server's account cannot get there (below /root), one
 * below /var/lib/fairlead whose name follows from `dataFolder`.
 */
async function reachableFolder(dataFolder: string, account: ServerAccount | undefined): Promise<string> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const folder = await realpath(dataFolder);
  if (account === undefined || (await canReach(account, folder))) return folder;
  const elsewhere = join("/var/lib/fairlead", createHash("sha256").update(folder).digest("hex").slice(0, 16));
  await mkdir(elsewhere, { recursive: true });
  return elsewhere;
}

async function passwordIn(
  folder: string,
  account: ServerAccount | undefined,
): Promise<{ password: string; file: string }> {
  const file = join(folder, "password");
  const existing = await readFile(file, "utf8").catch(() => "");
  if (existing !== "") return { password: existing, file };
  const password = randomBytes(24).toString("base64url");
  const fresh = `${file}.new`;
  await rm(fresh, { force: true });
  const handle = await open(fresh, "wx", 0o600);
  try {
    await handle.writeFile(password);
    // Not by its name: the folder is the account's, which could have put a link in its place.
    if (account !== undefined) await handle.chown(account.uid, account.gid);
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
  return { password, file };
}

/**
 * Makes the cluster where there is none. It is made under another name and renamed: one that is there is complete.
 *
 * @param initdb runs initdb with these arguments
 */
export async function prepareCluster(
  dataFolder: string,
  account: ServerAccount | undefined,
  initdb: (args: readonly string[]) => Promise<void>,
): Promise<ClusterFolder> {
  const folder = await reachableFolder(dataFolder, account);
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await chmod(folder, 0o700);
  const { password, file } = await passwordIn(folder, account);
  const path = join(folder, "cluster");
  if ((await stat(path).catch(() => undefined)) === undefined) {
    const fresh = `${path}.new`;
    await rm(fresh, { recursive: true, force: true });
    await initdb([
      `--pgdata=${fresh}`,
      `--username=${databaseUser}`,
      `--pwfile=${file}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ]);
    await rename(fresh, path);
  }
  return { path, password };
}
