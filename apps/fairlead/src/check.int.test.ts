import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { checks } from "./check/checks.ts";

interface Report {
  readonly passed: boolean;
  readonly durationMs: number;
  readonly checks: readonly {
    readonly check: string;
    readonly passed: boolean;
    readonly sent: string;
    readonly received: string;
    readonly problem: string;
  }[];
}

test("`fairlead up --check`: the whole road on a mesh of real processes", async () => {
  const up = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "up", "--check", "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, progress, [code]] = await Promise.all([
    text(up.stdout),
    text(up.stderr),
    once(up, "exit") as Promise<[number | null]>,
  ]);
  assert.match(out, /"checks":/, `no report; it wrote\n${progress}${out}`);
  const report = JSON.parse(out) as Report;
  assert.deepEqual(
    report.checks.map(({ check, passed, problem }) => ({ check, passed, problem })),
    checks.map(({ name }) => ({ check: name, passed: true, problem: "" })),
    progress,
  );
  assert.ok(report.checks.every(({ sent, received }) => sent !== "" && received !== ""));
  assert.equal(report.passed, true);
  assert.equal(code, 0);
});
