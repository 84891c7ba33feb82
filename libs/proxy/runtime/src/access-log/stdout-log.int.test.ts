import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

const lines = 30_000;

/** Logs to its stdout, as it prints other things there; says on stderr what it counted. */
const program = `
  import { LogFile, LogFileStats } from ${JSON.stringify(join(import.meta.dirname, "log-file.ts"))};
  const stats = new LogFileStats();
  const log = new LogFile({ target: 1, maxPendingBytes: 64_000_000 }, stats);
  process.stdout.write("printed\\n");
  for (let i = 0; i < ${lines}; i++) log.write(i + " " + "x".repeat(100) + "\\n");
  await log.flush();
  await log.close();
  console.error(JSON.stringify(stats));
`;

test("a reader of stdout that is slow at first gets each line whole and in order", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  let [output, counted] = ["", ""];
  child.stderr.on("data", (bytes: Buffer) => (counted += bytes.toString()));
  // It writes until the pipe is full, and waits.
  await once(child.stdout, "readable");
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  await once(child, "close");
  const logged = output.split("\n").filter((line) => line !== "" && line !== "printed");
  assert.equal(logged.length, lines, counted);
  for (const [i, line] of logged.entries()) assert.equal(line, `${i} ${"x".repeat(100)}`);
  assert.partialDeepStrictEqual(JSON.parse(counted), { write_dropped: 0, write_failed: 0, write_total_buffered: 0 });
});
