import { CannotRun } from "../envoy-binary.ts";
import type { Counts } from "../h2spec-run.ts";
import { checkGigabyte } from "./gigabytes.ts";
import { checkIdleConnections } from "./idle-connections.ts";

const versions = ["http1", "http2"] as const;

/** What takes too long for the tests: 10,000 idle connections, and a gibibyte each way in all pairs of versions. */
export async function runAbuse(): Promise<Counts> {
  let passed = 0;
  let failed = 0;
  let left: CannotRun | undefined;
  const check = async (name: string, work: () => Promise<string>): Promise<void> => {
    try {
      process.stdout.write(`ok      ${name}: ${await work()}\n`);
      passed++;
    } catch (error) {
      if (error instanceof CannotRun) {
        left = error;
        process.stdout.write(`LEFT OUT  ${name}: ${error.message}\n`);
        return;
      }
      failed++;
      process.stdout.write(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  };
  await check("10,000 idle connections", () => checkIdleConnections(10_000));
  for (const client of versions) {
    for (const host of versions) {
      for (const [method, way] of [
        ["GET", "from"],
        ["POST", "to"],
      ] as const) {
        await check(`1 GiB ${way} a host of ${host}, client of ${client}`, () => checkGigabyte(client, host, method));
      }
    }
  }
  // A part that was left out is no success.
  if (left !== undefined && failed === 0) throw left;
  return { passed, failed };
}
