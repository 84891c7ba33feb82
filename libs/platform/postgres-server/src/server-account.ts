import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A system account, as the numbers that a process is started with. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: these are tried in turn. */
const accountNames = ["postgres", "nobody"];

/**
 * The account that the server has to run as.
 *
 * @param passwd the text of /etc/passwd
 * @returns undefined where this process may run it itself
 */
export function serverAccount(
  uid: number | undefined = process.getuid?.(),
  passwd: () => string = () => readFileSync("/etc/passwd", "utf8"),
): ServerAccount | undefined {
  if (uid !== 0) return undefined;
  const entries = passwd()
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of accountNames) {
    const entry = entries.find(([entryName]) => entryName === name);
    if (entry !== undefined) return { name, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  return { name: "nobody", uid: 65534, gid: 65534 };
}

/** Whether the account may enter every folder above `path`. Access lists are not looked at. */
export async function canReach(account: ServerAccount, path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const enter = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & enter) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
