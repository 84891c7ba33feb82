/**
 * npm run conformance:http [-- --only h2spec|smuggling|abuse]
 *
 * - h2spec: in strict mode against the proxy's HTTP/2 server, and h2specd against its client
 * - smuggling: hostile HTTP/1.1 through Fairlead, HAProxy and nginx to the same host, and where they differ
 * - abuse: 10,000 idle connections, and bodies of a gibibyte: memory and event loop of a proxy in its own process
 *
 * Exit code: 0 all passed, 1 something failed, 2 it cannot run: not here (h2spec: no curl, no Go, or no
 * module proxy; abuse: too few open files), or not with these options.
 */
import { oneOf, readCommandLine } from "@fairlead/lifecycle";
import { runAbuse } from "./abuse/abuse-run.ts";
import { CannotRun } from "./envoy-binary.ts";
import { type Counts, runH2spec } from "./h2spec-run.ts";
import { compareSmuggling } from "./smuggling/comparison.ts";

const parts = new Map<string, () => Promise<Counts>>([
  ["h2spec", runH2spec],
  ["smuggling", compareSmuggling],
  ["abuse", runAbuse],
]);

const { only } = readCommandLine({
  usage: "npm run conformance:http -- [options]",
  options: { only: oneOf([...parts.keys()], "a part") },
}).options;

let passed = 0;
let failed = 0;
for (const [name, run] of parts) {
  if (only !== undefined && only !== name) continue;
  try {
    const counts = await run();
    process.stdout.write(`${name}: ${counts.passed} passed, ${counts.failed} failed\n`);
    passed += counts.passed;
    failed += counts.failed;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`${name} cannot run here: ${error.message}\n`);
    process.exitCode = 2;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0) process.exitCode = 1;
