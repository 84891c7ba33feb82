import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("fairlead-test-postgres-"));

test("a test process that is killed leaves neither server nor folder", async () => {
  const program = `
    import { startTestPostgres } from ${JSON.stringify(import.meta.resolve("./postgres.ts"))};
    const { url } = await startTestPostgres();
    console.log(url);
    setInterval(() => {}, 1000);`;
  const before = new Set(await folders());
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const made = (await folders()).filter((name) => !before.has(name));
  assert.ok(made.length > 0);
  child.kill("SIGKILL");
  await once(child, "exit");
  const gone = async (name: string) =>
    await access(`${tmpdir()}/${name}`).then(
      () => false,
      () => true,
    );
  // Other test files may start theirs at the same time: one of those that were made has to go.
  for (const deadline = Date.now() + 15_000; ; await sleep(50)) {
    if ((await Promise.all(made.map(gone))).includes(true)) break;
    assert.ok(Date.now() < deadline, `${made.join(", ")} still there`);
  }
});
