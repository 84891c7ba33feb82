import { spawn } from "node:child_process";
import { type H2specBinaries, h2specBinaries } from "./h2spec-binaries.ts";
import { Http2TestClient } from "./http2-test-client.ts";
import { Http2TestServer } from "./http2-test-server.ts";
import { sendLiteralIndexCase } from "./literal-index-case.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** 146 of h2spec with `-S`, and one of our own; fewer mean that some were not run. */
const SERVER_CASES = 147;
const CLIENT_CASES = 57;

const summary = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/;

/** Runs one of the two and passes on what it prints. */
async function run(binary: string, args: readonly string[]): Promise<Counts> {
  let output = "";
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.on("data", (chunk: Buffer) => {
    const text = chunk.toString();
    // h2specd goes on accepting on what it has closed, and says so thousands of times.
    if (!summary.test(output)) process.stdout.write(text.replace(/^accept tcp .*\n/gm, ""));
    output += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  const counts = summary.exec(output);
  // Without a summary it has ended in the middle: that is a failure, whatever came before.
  if (counts === null) return { passed: 0, failed: 1 };
  // A skipped case says nothing for us.
  return { passed: Number(counts[2]), failed: Number(counts[3]) + Number(counts[4]) };
}

async function testServer(binaries: H2specBinaries): Promise<Counts> {
  await using server = await Http2TestServer.start();
  const counts = await run(binaries.h2spec, ["-S", "-h", "127.0.0.1", "-p", String(server.port), "-o", "2"]);
  const more = await sendLiteralIndexCase(server.port);
  return { passed: counts.passed + more.passed, failed: counts.failed + more.failed };
}

async function testClient(binaries: H2specBinaries): Promise<Counts> {
  await using client = await Http2TestClient.start();
  return await run(binaries.h2specd, ["-S", "-h", "127.0.0.1", "-f", "30000", "-o", "2", "-e", client.command]);
}

/** @throws CannotRun without curl, Go, or a module proxy */
export async function runH2spec(): Promise<Counts> {
  const binaries = await h2specBinaries();
  const server = await testServer(binaries);
  const client = await testClient(binaries);
  return total([judge("server", server, SERVER_CASES), judge("client", client, CLIENT_CASES)]);
}

/** Cases that are not there have failed. */
function judge(side: string, { passed, failed }: Counts, cases: number): Counts {
  const missing = Math.max(0, cases - passed - failed);
  const ofThem = missing === 0 ? "" : `, ${missing} of ${cases} not run`;
  process.stdout.write(`${side}: ${passed} passed, ${failed} failed${ofThem}\n`);
  return { passed, failed: failed + missing };
}

function total(counts: readonly Counts[]): Counts {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}
