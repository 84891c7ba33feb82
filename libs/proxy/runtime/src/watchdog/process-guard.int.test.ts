import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const dataPlane = JSON.stringify(new URL("../create-data-plane.ts", import.meta.url).href);
const hanging = JSON.stringify(`data:text/javascript,${encodeURIComponent("setTimeout(() => { for (;;); }, 500)")}`);

/** Runs with a data plane that ends the process when a thread is stuck for a second. */
async function ended(program: string): Promise<{ readonly signal: string | null; readonly lastLine: object }> {
  const script = `
    import { createDataPlane } from ${dataPlane};
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const start = (more) => createDataPlane({ logger, nodeId: "n", watchdogKillMs: 1000, ...more });
    ${program}`;
  const folder = mkdtempSync(join(tmpdir(), "fairlead-guard-"));
  const file = join(folder, "program.mjs");
  writeFileSync(file, script);
  const command = ["-c", 'ulimit -c 0; exec "$@"', "sh", process.execPath, file];
  const child = spawn("sh", command, { stdio: ["ignore", "pipe", "ignore"] });
  const exited = new Promise<string | null>((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  const said = await text(child.stdout);
  rmSync(folder, { recursive: true });
  return { signal: await exited, lastLine: JSON.parse(said.trim().split("\n").at(-1)!) as object };
}

const line = { level: "fatal", code: "FL_THREAD_STUCK", node: "n" };

test("a process whose only thread is stuck ends, and its last line says so", { timeout: 60_000 }, async () => {
  const { signal, lastLine } = await ended("start({}); setTimeout(() => { for (;;); }, 100);");
  assert.equal(signal, "SIGABRT");
  assert.partialDeepStrictEqual(lastLine, { ...line, thread: "main thread" });
});

test("a process of which a worker is stuck ends, and its last line says which", { timeout: 60_000 }, async () => {
  const { signal, lastLine } = await ended(`
    const proxy = start({ concurrency: 2, modules: () => [${hanging}] });
    await proxy.apply("type.googleapis.com/envoy.config.cluster.v3.Cluster", []);
    setInterval(() => undefined, 1000);`);
  assert.equal(signal, "SIGABRT");
  assert.match(String((lastLine as { thread?: string }).thread), /^worker [01]$/);
});

test("one that serves and is closed in time is left alone", { timeout: 60_000 }, async () => {
  const { signal, lastLine } = await ended(`
    const proxy = start({ concurrency: 2 });
    await proxy.apply("type.googleapis.com/envoy.config.cluster.v3.Cluster", []);
    setTimeout(async () => {
      await proxy.close();
      console.log("{}");
    }, 2500);`);
  assert.deepEqual([signal, lastLine], [null, {}]);
});
