/**
 * npm run conformance:xds: the rules of xDS, one by one, and three implementations of its clients that we have not written:
 * @grpc/grpc-js-xds, gRPC C-core, and Envoy in both variants. Writes docs/reference/xds-conformance.md.
 *
 * Exit code: 0 all passed, 1 something failed, 2 a client cannot run here (what it needs is printed).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readCommandLine } from "@fairlead/lifecycle";
import { runScript, runTestFiles, type ScriptResult } from "./xds-run.ts";
import { conformancePage, type RealClient } from "./xds-page.ts";
import { collectRules } from "./xds-rules.ts";

readCommandLine({
  usage:
    "npm run conformance:xds\nThe rules of xDS, and clients that others have written. Writes docs/reference/xds-conformance.md.",
});
const repository = join(import.meta.dirname, "../..");
const page = join(repository, "docs/reference/xds-conformance.md");

const tests = await runTestFiles(repository, [
  "apps/ads-gateway/src/xds-rules/*.test.ts",
  "libs/mesh/xds-stream/src/*.test.ts",
]);
const rules = collectRules(tests);
const grpcJs = await runTestFiles(repository, ["apps/ads-gateway/src/grpc-client.int.test.ts"]);
const grpcJsResult: ScriptResult = {
  exitCode: grpcJs.length > 0 && grpcJs.every((test) => test.passed) ? 0 : 1,
  summary: `${grpcJs.filter((test) => test.passed).length} passed, ${grpcJs.filter((test) => !test.passed).length} failed`,
};
const clients: RealClient[] = [
  { client: "@grpc/grpc-js-xds", variant: "SotW", ...grpcJsResult },
  {
    client: "gRPC C-core (python3-grpcio)",
    variant: "SotW",
    ...(await runScript(repository, ["conformance/src/xds-core.ts"])),
  },
  { client: "Envoy", variant: "SotW", ...(await runScript(repository, ["conformance/src/envoy.ts", "sotw"])) },
  { client: "Envoy", variant: "delta", ...(await runScript(repository, ["conformance/src/envoy.ts", "delta"])) },
];

await writeFile(page, conformancePage(rules, clients));
const failed = rules.failures.length + rules.missing.length + clients.filter(({ exitCode }) => exitCode === 1).length;
for (const failure of rules.failures) process.stdout.write(`FAILED  ${failure}\n`);
for (const number of rules.missing) process.stdout.write(`FAILED  rule ${number} has no test\n`);
for (const { client, variant, summary } of clients) process.stdout.write(`${client}, ${variant}: ${summary}\n`);
process.stdout.write(`${rules.covered} of ${rules.total} rules, ${rules.tests} tests; ${page}\n`);
process.exitCode = failed > 0 ? 1 : Math.max(...clients.map(({ exitCode }) => exitCode));
