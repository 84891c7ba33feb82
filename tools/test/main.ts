/**
 * `npm test`: the type check, the linters and every test, in one run that ends with `N passed, N failed`.
 *
 *   npm test                       everything
 *   npm test -- --unit             without tests that need servers (*.int.test.ts)
 *   npm test -- libs/mesh apps/x   only tests below these paths, without the static checks
 *
 * A skipped test counts as failed: what cannot run says so.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { flag, readCommandLine } from "@fairlead/lifecycle";
import { type TestEvent, TestTally } from "./tally.ts";

const repository = join(import.meta.dirname, "../..");
const testTimeoutMs = 180_000;
/** Nothing was heard of the tests for this long. */
const silenceLimitMs = testTimeoutMs + 30_000;

const {
  options: { unit: unitOnly },
  words: paths,
} = readCommandLine({
  usage: `npm test -- [options] [PATH …]
The type check, the linters and every test; with paths the tests below these, without the checks.`,
  options: { unit: flag("without tests that need servers (*.int.test.ts)") },
  words: [0, Infinity],
});

const tally = new TestTally((line) => process.stdout.write(`${line}\n`));

/** A static check counts as one test. */
function staticCheck(name: string, command: string, ...commandArgs: string[]): void {
  const started = Date.now();
  const result = spawnSync(join(repository, "node_modules/.bin", command), commandArgs, {
    cwd: repository,
    encoding: "utf8",
    env: { ...process.env, NX_NO_CLOUD: "true", NX_DAEMON: "false", NX_TUI: "false" },
  });
  const output = `${result.stdout}${result.stderr}`.trim();
  tally.staticCheck(name, result.status === 0, Date.now() - started, result.error?.message ?? output);
}

function testFiles(): string[] {
  const roots =
    paths.length > 0
      ? paths.map((path) => relative(repository, resolve(path)))
      : ["libs", "apps", "tools", "conformance", "bench", "examples"];
  const found = roots.flatMap((root) =>
    root.endsWith(".ts")
      ? [root]
      : globSync(`${root}/**/*.test.ts`, {
          cwd: repository,
          exclude: (name) => name === "node_modules" || name === "dist",
        }),
  );
  return [...new Set(found)].filter((file) => !unitOnly || !file.endsWith(".int.test.ts")).toSorted();
}

if (paths.length === 0) {
  staticCheck("types (tsc)", "tsc", "-p", "tsconfig.json");
  staticCheck("lint (oxlint)", "oxlint", "--type-aware");
  staticCheck("format (prettier)", "prettier", "--check", "--log-level", "warn", ".");
  staticCheck("boundaries (nx, eslint)", "nx", "run-many", "-t", "lint", "--outputStyle=static");
}

const files = testFiles();
if (files.length === 0) {
  process.stderr.write(`no tests below ${paths.join(", ")}\n`);
  process.exit(1);
}
/** Runs files; those that do not end are stopped and counted as failed. */
async function runFiles(group: readonly string[], concurrency: number): Promise<void> {
  // A server that a failed test left running keeps its file's process alive; forceExit would cut off results that are still being written.
  const stuck = new AbortController();
  const watchdog = setTimeout(() => stuck.abort(), silenceLimitMs);
  const stream = run({
    cwd: repository,
    files: group.map((file) => join(repository, file)),
    concurrency,
    timeout: testTimeoutMs,
    signal: stuck.signal,
  });
  for await (const event of stream) {
    watchdog.refresh();
    tally.event(event as TestEvent);
  }
  clearTimeout(watchdog);
  if (!stuck.signal.aborted) return;
  const why = "a file was stopped: its tests, or something that they started, do not end";
  tally.staticCheck(`${group.length === 1 ? group[0] : "all test files"} ends`, false, silenceLimitMs, why);
}

// Servers and timers of one file may disturb the clock of another: unit tests run side by side, the others one by one.
const unit = files.filter((file) => !file.endsWith(".int.test.ts"));
if (unit.length > 0) await runFiles(unit, 2);
for (const file of files) if (file.endsWith(".int.test.ts")) await runFiles([file], 1);

process.exit(tally.finish() ? 0 : 1);
