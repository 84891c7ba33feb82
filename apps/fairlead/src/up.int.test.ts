import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { eventually } from "./up/readiness.ts";
import { isZooKeeperInstalled } from "./up/zookeeper-installed.ts";

const base = await mkdtemp(join(tmpdir(), "fairlead-up-test-"));
await chmod(base, 0o711); // PostgreSQL runs as another account when we are root
const dataFolder = join(base, "data");
const started: ChildProcess[] = [];
after(async () => {
  for (const up of started) up.kill("SIGKILL");
  await rm(base, { recursive: true, force: true });
});

function startUp(): ChildProcess {
  const args = [join(import.meta.dirname, "main.ts"), "up", "--free-ports", "--data-folder", dataFolder];
  const up = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  started.push(up);
  return up;
}

/** Resolves with what `up` has written once the mesh is up. */
async function untilUp(up: ChildProcess): Promise<string> {
  let written = "";
  for (const stream of [up.stdout!, up.stderr!]) stream.on("data", (bytes: Buffer) => (written += bytes.toString()));
  return await eventually(
    "the mesh is up",
    async () => {
      assert.equal(up.exitCode, null, written);
      return written.includes("Ctrl-C stops all of it.") ? written : undefined;
    },
    60_000,
    () => written,
  );
}

/** All processes below `pid`, from /proc. */
async function descendants(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, "utf8").catch(() => "") : "";
    const parent = /\) \S (\d+) /.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = new Set([pid]);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
  }
  found.delete(pid);
  return [...found];
}

/** Those below `up` whose command line matches. */
async function processesOf(up: ChildProcess, commandLine: RegExp): Promise<number[]> {
  const pids = await descendants(up.pid!);
  const lines = await Promise.all(
    pids.map(async (pid) => await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return pids.filter((_, index) => commandLine.test(lines[index]!));
}

const database = /\/postgres\0-D\0/;
const sidecarOrControlPlane = /\/(?:sidecar\/src\/main|control-plane-process)/;

async function untilGone(pids: readonly number[]): Promise<void> {
  const alive = async () => {
    const states = await Promise.all(
      pids.map(async (pid) => await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")),
    );
    return pids.filter((_, index) => states[index] !== "" && !/\) Z /.test(states[index]!));
  };
  await eventually(`processes ${pids.join(", ")} end`, async () => (await alive()).length === 0 || undefined, 25_000);
}

async function statusOf(port: number, service: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path: "/", headers: { host: service } }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

const outboundIn = (written: string): number => Number(/Host: shop\.Storefront' 127\.0\.0\.1:(\d+)/.exec(written)![1]);

test("`fairlead up`: one on a folder, its database back after a crash, nothing left when it is killed, all of it there again, Ctrl-C ends all in order", async () => {
  const first = startUp();
  const written = await untilUp(first);
  assert.equal(await statusOf(outboundIn(written), "shop.Storefront"), 200);

  const second = startUp();
  const [message, [code]] = await Promise.all([text(second.stderr!), once(second, "exit") as Promise<[number]>]);
  assert.equal(code, 1);
  assert.match(message, new RegExp(`FL_UP_FOLDER_IN_USE: another \`fairlead up\` \\(pid ${first.pid}\\)`));

  const others = await processesOf(first, sidecarOrControlPlane);
  // The visitor, five of HTTP, stock, and prices where it is not registered in ZooKeeper.
  assert.equal(others.length, isZooKeeperInstalled() ? 8 : 9);
  let since = "";
  first.stdout!.on("data", (bytes: Buffer) => (since += bytes.toString()));
  const [killed] = await processesOf(first, database);
  process.kill(killed!, "SIGKILL");
  await eventually(
    "PostgreSQL is started again",
    async () => (assert.equal(first.exitCode, null, since), since.includes("✓ PostgreSQL, again") || undefined),
    30_000,
    () => since,
  );
  assert.equal(await statusOf(outboundIn(written), "shop.Storefront"), 200);
  const registry = /registry-sync (http:\S+)/.exec(written)![1]!;
  await eventually(
    "registry-sync is ready again",
    async () => (await fetch(`${registry}/readyz`)).ok || undefined,
    30_000,
  );
  assert.deepEqual(await processesOf(first, sidecarOrControlPlane), others, "nothing else was started again");

  const below = await descendants(first.pid!);
  assert.ok(below.length >= 16, `PostgreSQL, the control plane, 7 sidecars and 7 samples; found ${below.length}`);
  first.kill("SIGKILL");
  await untilGone(below);

  const third = startUp();
  assert.equal(await statusOf(outboundIn(await untilUp(third)), "shop.Storefront"), 200);
  const again = await descendants(third.pid!);
  third.kill("SIGINT");
  assert.deepEqual(await once(third, "exit"), [0, null]);
  await untilGone(again);
});
