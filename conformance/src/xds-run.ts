import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error);
}

export interface TestResult {
  readonly name: string;
  readonly passed: boolean;
}

/** Runs test files and prints the tests that fail. @param patterns from the root of the repository */
export async function runTestFiles(repository: string, patterns: readonly string[]): Promise<TestResult[]> {
  const files = globSync(patterns, { cwd: repository }).map((file) => join(repository, file));
  const results: TestResult[] = [];
  const stream = run({ files, concurrency: 2 });
  stream.on("test:pass", ({ name, nesting }) => {
    if (nesting === 0) results.push({ name, passed: true });
  });
  stream.on("test:fail", ({ name, nesting, details }) => {
    if (nesting !== 0) return;
    results.push({ name, passed: false });
    process.stdout.write(`FAILED  ${name}\n        ${messageOf(details.error.cause ?? details.error)}\n`);
  });
  stream.resume();
  await new Promise((resolve) => stream.once("end", resolve));
  return results;
}

export interface ScriptResult {
  /** 0 all passed, 1 something failed, 2 it cannot run here. */
  readonly exitCode: number;
  /** `N passed, N failed`, or why it cannot run. */
  readonly summary: string;
}

/** Runs a script of this folder, with its output. */
export async function runScript(repository: string, args: readonly string[]): Promise<ScriptResult> {
  const child = spawn(process.execPath, args, { cwd: repository, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
      process.stdout.write(text);
    });
  }
  const exitCode = await new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  const last = output.match(/^(\d+ passed, \d+ failed|cannot run: .*)$/gm)?.at(-1);
  return { exitCode, summary: last ?? `ended with ${exitCode}` };
}
