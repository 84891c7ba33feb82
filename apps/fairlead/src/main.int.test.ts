import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

test("a reader that has seen enough ends the command without a stack trace", async () => {
  const help = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "--help"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  help.stdout.destroy();
  const [said, [code, signal]] = await Promise.all([text(help.stderr), once(help, "exit")]);
  assert.deepEqual({ said, code, signal }, { said: "", code: null, signal: "SIGTERM" });
});
