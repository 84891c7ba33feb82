import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ManagedProcess, type ProcessEnd } from "./managed-process.ts";
import { eventually, untilReady } from "./readiness.ts";

const logFolder = await mkdtemp(join(tmpdir(), "fairlead-managed-process-test-"));
const testing = join(import.meta.dirname, "../testing");
after(async () => await rm(logFolder, { recursive: true, force: true }));

function child(behaviour: string, name = behaviour): ManagedProcess {
  return new ManagedProcess({
    name,
    script: join(testing, "misbehaving-child.ts"),
    args: [behaviour],
    environment: {},
    logFolder,
  });
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("a crash is reported once, with the last log lines and where the log is", async () => {
  const crashing = child("crash", "sidecar orders");
  const ends: ProcessEnd[] = [];
  crashing.onCrash((end) => ends.push(end));
  crashing.start();
  await assert.rejects(untilReady(crashing, "http://127.0.0.1:1/ready"), {
    code: "FL_UP_PROCESS_ENDED",
    message: `sidecar orders ended with exit code 3. Its last lines:\n    fatal could not start: the port is taken\n  All of its log: ${logFolder}/sidecar-orders.log`,
  });
  assert.deepEqual(ends, [{ code: 3, signal: null }]);
  assert.equal(crashing.running, false);
  assert.deepEqual(await crashing.stop(), { code: 3, signal: null });
});

test("a stop is not a crash; a process may be started again and continues its log", async () => {
  const obedient = child("obedient");
  obedient.onCrash(() => assert.fail("a stop was taken for a crash"));
  for (let run = 0; run < 2; run++) {
    obedient.start();
    await obedient.message();
    assert.deepEqual(await obedient.stop(), { code: 0, signal: null });
  }
  assert.equal(await readFile(obedient.logFile, "utf8"), "stopped in order\nstopped in order\n");
});

test("Node gets its own arguments", async () => {
  const own = new ManagedProcess({
    name: "own",
    script: join(testing, "misbehaving-child.ts"),
    args: ["obedient"],
    nodeArguments: ["--max-semi-space-size=8"],
    environment: {},
    logFolder,
  });
  own.start();
  await own.message();
  const commandLine = await readFile(`/proc/${own.pid}/cmdline`, "utf8");
  assert.match(commandLine, /^[^\0]+\0--max-semi-space-size=8\0/);
  await own.stop();
});

test("what does not hear SIGTERM is killed", async (t) => {
  const deaf = child("deaf");
  deaf.start();
  await deaf.message();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const stopped = deaf.stop();
  t.mock.timers.tick(15_000);
  assert.deepEqual(await stopped, { code: null, signal: "SIGKILL" });
});

test("when `up` is killed, what it started ends in order", async () => {
  const parent = fork(join(testing, "parent-of-one.ts"), [logFolder], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ pid }] = (await once(parent, "message")) as [{ pid: number }];
  assert.ok(isAlive(pid));
  parent.kill("SIGKILL");
  await eventually("the orphan ends", async () => !isAlive(pid) || undefined, 10_000);
  assert.equal(await readFile(join(logFolder, "orphan.log"), "utf8"), "stopped in order\n");
});
