/**
 * Writes docs/reference from the code: `npm run generate`. With `--check` it writes nothing and fails when a page is old;
 * a test runs that.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flag, readCommandLine } from "@fairlead/lifecycle";
import { cliReference } from "./reference/cli.ts";
import { configReference } from "./reference/config.ts";
import { errorReference } from "./reference/errors.ts";
import { httpApiReference } from "./reference/http-api.ts";
import { metricReference } from "./reference/metrics.ts";
import { policyReference } from "./reference/policies.ts";

const folder = join(import.meta.dirname, "../../docs/reference");

/** File name → content of every generated page. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["config.md", await configReference()],
    ["errors.md", await errorReference()],
    ["metrics.md", metricReference()],
    ["cli.md", await cliReference()],
    ["policies.md", policyReference()],
    ...(await httpApiReference()),
  ]);
}

/** The pages whose file differs from what the code gives. */
export async function oldPages(): Promise<string[]> {
  const old: string[] = [];
  for (const [name, content] of await referencePages()) {
    const path = join(folder, name);
    if (!existsSync(path) || readFileSync(path, "utf8") !== content) old.push(name);
  }
  return old;
}

if (import.meta.main) {
  const { check } = readCommandLine({
    usage: "node tools/generate/reference.ts [options]\nWrites docs/reference.",
    options: { check: flag("writes nothing, and fails where a page is old") },
  }).options;
  if (check) {
    const old = await oldPages();
    if (old.length > 0) {
      process.stderr.write(`docs/reference is old: ${old.join(", ")}; run \`npm run generate\`\n`);
      process.exit(1);
    }
  } else {
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of await referencePages()) writeFileSync(join(folder, name), content);
  }
  process.exit(0);
}
