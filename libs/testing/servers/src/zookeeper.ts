import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "@fairlead/testing-basics";
import { requireCommand } from "./require-command.ts";
import { runServer, type ServerControl } from "./server-process.ts";

const startDeadlineMs = 30_000;
/** Debian's package has the server in a jar and no program for it. */
const jar = "/usr/share/java/zookeeper.jar";

/** A ZooKeeper for one test file, with ways to take it away. */
export interface TestZooKeeper extends ServerControl {
  /** 127.0.0.1:<port>; the same after `restart`. */
  readonly address: string;
  readonly port: number;
}

/** Whether the server answers `ruok`: it takes clients. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("ruok"));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once("data", (chunk: Buffer) => {
      resolve(chunk.toString() === "imok");
      socket.destroy();
    });
    socket.on("error", () => undefined).once("close", () => resolve(false));
  });
}

async function launch(java: string, configFile: string, port: number): Promise<ChildProcess> {
  const args = [
    "-Xmx256m",
    "-Dlog4j.configuration=file:/dev/null",
    "-cp",
    jar,
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
    configFile,
  ];
  const child = spawn(java, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8").on("data", (text: string) => (log = `${log}${text}`.slice(-20_000)));
  }
  const deadline = performance.now() + startDeadlineMs;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`ZooKeeper did not start (exit code ${child.exitCode}); its log:\n${log}`);
    }
    await pause(50);
  }
  return child;
}

export interface TestZooKeeperOptions {
  /** Session time-outs are at least two ticks, at most a minute. @default 100 */
  readonly tickMs?: number;
}

/** Starts ZooKeeper in a temporary folder: about 2 s, and once on a machine the time to install it. */
export async function startTestZooKeeper({ tickMs = 100 }: TestZooKeeperOptions = {}): Promise<TestZooKeeper> {
  const java = await requireCommand("java", "zookeeper", jar);
  const folder = await mkdtemp(join(tmpdir(), "fairlead-test-zookeeper-"));
  const data = join(folder, "data");
  const port = await freePort();
  const config = join(folder, "zoo.cfg");
  const settings = {
    tickTime: tickMs,
    dataDir: data,
    clientPort: port,
    clientPortAddress: "127.0.0.1",
    minSessionTimeout: 2 * tickMs,
    maxSessionTimeout: 60_000,
    maxClientCnxns: 0,
    "admin.enableServer": false,
    "4lw.commands.whitelist": "*",
  };
  await writeFile(config, Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("")); // prettier-ignore

  const control = await runServer(() => launch(java, config, port), { folder, data });
  return { address: `127.0.0.1:${port}`, port, ...control };
}
