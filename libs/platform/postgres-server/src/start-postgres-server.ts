import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { FairleadError } from "@fairlead/errors";
import { findBinaries } from "./binaries.ts";
import { databaseUser, prepareCluster } from "./cluster-folder.ts";
import { stopLeftoverServer } from "./leftover-server.ts";
import { serverAccount } from "./server-account.ts";
import { runServer, type ServerProcess } from "./server-process.ts";
import "./errors.ts";

const run = promisify(execFile);

export interface PostgresServerOptions {
  /** Holds the database; made where it does not exist. As root it is given to the account `postgres` or `nobody`. */
  readonly dataFolder: string;
  /** 0 = a free one. @default 0 */
  readonly port?: number;
  /** Gets each line that PostgreSQL writes. */
  readonly log?: (line: string) => void;
  /** false: faster; a crash of the machine may break the data, one of PostgreSQL alone does not. For tests. @default true */
  readonly durable?: boolean;
}

export interface PostgresServer {
  /** postgres://…, with the password: never log it. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Disconnects clients and ends the server; kills it after 10 s. */
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** What another process did a moment ago and undoes by itself: it took the free port, or its backends are still ending. */
function isPassing(error: FairleadError, anyPort: boolean): boolean {
  if (/pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(error.message)) return true;
  return anyPort && error.message.includes("could not bind");
}

const attempts = 20;
const pauseMs = 250;

/**
 * Starts a PostgreSQL of our own, reachable from this machine only, by TCP on 127.0.0.1 and with a random password. What a
 * killed process left running on the same folder is stopped first.
 *
 * @throws FairleadError FL_POSTGRES_UNAVAILABLE where no binaries run on this platform
 * @throws FairleadError FL_POSTGRES_START_FAILED
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const account = serverAccount();
  const binaries = await findBinaries(account);
  const cluster = await prepareCluster(options.dataFolder, account, async (args) => {
    await run(binaries.initdb, args, {
      cwd: "/",
      uid: account?.uid,
      gid: account?.gid,
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
    }).catch((cause: Error) => {
      throw new FairleadError("FL_POSTGRES_START_FAILED", `initdb failed: ${cause.message}`, { cause });
    });
  });
  await stopLeftoverServer(cluster.path);

  const anyPort = (options.port ?? 0) === 0;
  const settings = [
    "listen_addresses=127.0.0.1",
    "max_connections=100",
    "shared_buffers=64MB",
    "log_checkpoints=off",
    ...(options.durable === false ? ["fsync=off", "full_page_writes=off"] : []),
  ];
  for (let attempt = 1; ; attempt++) {
    const port = anyPort ? await freePort() : options.port!;
    try {
      const server: ServerProcess = await runServer({
        postgres: binaries.postgres,
        args: ["-D", cluster.path, "-p", String(port), "-k", "", ...settings.flatMap((setting) => ["-c", setting])],
        account,
        log: options.log ?? (() => undefined),
      });
      return { ...server, port, url: `postgres://${databaseUser}:${cluster.password}@127.0.0.1:${port}/postgres` };
    } catch (error) {
      if (attempt === attempts || !isPassing(error as FairleadError, anyPort)) throw error;
      await sleep(pauseMs);
    }
  }
}
