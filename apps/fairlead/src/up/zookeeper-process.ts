/**
 * ZooKeeper, as Debian installs it, below a process of its own, so that it ends with `fairlead up`.
 * `zookeeper-process.ts <folder> [port]`; says `{port}` to `up` once it takes clients. What it held before is gone: the samples register anew.
 */
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { FreePorts } from "./ports.ts";
import { zooKeeperJar } from "./zookeeper-installed.ts";

const [folder, askedPort = "0"] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: zookeeper-process.ts <folder> [port]");
const startDeadlineMs = 30_000;

const port = askedPort === "0" ? await new FreePorts().take() : Number(askedPort);
const config = join(folder, "zoo.cfg");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true, mode: 0o700 });
const settings = {
  tickTime: 500,
  dataDir: join(folder, "data"),
  clientPort: port,
  clientPortAddress: "127.0.0.1",
  "admin.enableServer": false,
  "4lw.commands.whitelist": "ruok",
};
await writeFile(config, Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("")); // prettier-ignore

const server = spawn(
  "java",
  ["-Xmx128m", "-Dlog4j.configuration=file:/dev/null", "-cp", zooKeeperJar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", config],
  { stdio: ["ignore", "inherit", "inherit"] },
); // prettier-ignore
let stopping = false;
const stop = () => {
  stopping = true;
  server.kill("SIGTERM");
};
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
server.once("error", (error) => {
  process.stderr.write(`java: ${error.message}\n`);
  process.exit(1);
});
server.once("exit", () => process.exit(stopping ? 0 : 1));

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("ruok"));
    socket.setTimeout(1000, () => socket.destroy());
    socket.once("data", (chunk: Buffer) => {
      resolve(chunk.toString() === "imok");
      socket.destroy();
    });
    socket.on("error", () => undefined).once("close", () => resolve(false));
  });
}

const deadline = performance.now() + startDeadlineMs;
while (!(await answers())) {
  if (performance.now() > deadline) {
    process.stderr.write(`ZooKeeper takes no clients after ${startDeadlineMs} ms\n`);
    server.kill("SIGKILL");
    break;
  }
  await pause(100);
}
process.send?.({ port });
