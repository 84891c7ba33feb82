import { createHash } from "node:crypto";
import { chmod, mkdir, realpath, rm, mkdtemp, access, constants } from "node:fs/promises";
import { existsSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve as absolute } from "node:path";
import { FairleadError } from "@fairlead/errors";
import "../errors.ts";

/** Where `fairlead up` keeps the database and the logs. */
export interface DataFolder {
  readonly path: string;
  readonly postgres: string;
  readonly zookeeper: string;
  readonly logs: string;
  /** Lets the next `up` in; removes the folder where it was a temporary one. */
  release(): Promise<void>;
}

/** /var/lib/fairlead for root, else below XDG_DATA_HOME or ~/.local/share. */
export function defaultDataFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  uid: number | undefined = process.getuid?.(),
): string {
  if (uid === 0) return "/var/lib/fairlead";
  const base = environment["XDG_DATA_HOME"];
  return join(base === undefined || base === "" ? join(homedir(), ".local/share") : base, "fairlead");
}

/** A name that a process can hold and that is free again when it ends, however it ends. */
function lockAddress(folder: string): string {
  const name = `fairlead-up-${createHash("sha256").update(folder).digest("hex").slice(0, 24)}`;
  // Linux has socket names that no file stands for.
  return process.platform === "linux" ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

async function listen(address: string): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(String(process.pid));
    });
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** The process that holds the lock; undefined when nobody answers. */
async function holderOf(address: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let pid = "";
    const socket = connect(address);
    socket.setTimeout(2000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (bytes) => (pid += bytes.toString()));
    socket.on("end", () => resolve(pid));
    socket.on("error", () => resolve(undefined));
  });
}

async function lock(folder: string): Promise<Server> {
  const address = lockAddress(folder);
  let server = await listen(address);
  const holder = server === undefined ? await holderOf(address) : undefined;
  if (server === undefined && holder === undefined && !address.startsWith("\0")) {
    await rm(address, { force: true }); // its process was killed
    server = await listen(address);
  }
  if (server !== undefined) return server;
  throw new FairleadError(
    "FL_UP_FOLDER_IN_USE",
    `another \`fairlead up\`${holder === undefined ? "" : ` (pid ${holder})`} runs on ${folder}; stop it, or choose a folder with --data-folder`,
    { facts: { folder, pid: holder } },
  );
}

/** Like `mkdir -p`. Node's own recursive mkdir never returns below /proc, where a new folder is refused as if its parent were missing. */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = absolute(path); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) await mkdir(folder, { mode: 0o755 });
}

/**
 * Makes and locks the folder.
 *
 * @param path undefined = a temporary one, removed at release
 * @throws FairleadError FL_UP_FOLDER_IN_USE, FL_UP_FOLDER_UNUSABLE
 */
export async function openDataFolder(path: string | undefined): Promise<DataFolder> {
  let folder: string;
  try {
    if (path !== undefined) await makeFolder(path);
    folder = await realpath(path ?? (await mkdtemp(join(tmpdir(), "fairlead-up-"))));
    // PostgreSQL runs as another account when we are root, and must get through to its own folder, which nobody else can read.
    if (path === undefined && process.getuid?.() === 0) await chmod(folder, 0o711);
    await mkdir(join(folder, "logs"), { recursive: true, mode: 0o700 });
    await access(join(folder, "logs"), constants.W_OK);
  } catch (cause) {
    throw new FairleadError(
      "FL_UP_FOLDER_UNUSABLE",
      `the data folder ${path ?? tmpdir()} cannot be used: ${(cause as Error).message}`,
      {
        facts: { path },
        cause,
      },
    );
  }
  const server = await lock(folder);
  return {
    path: folder,
    postgres: join(folder, "postgres"),
    zookeeper: join(folder, "zookeeper"),
    logs: join(folder, "logs"),
    async release() {
      await new Promise((resolve) => server.close(resolve));
      if (path === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
