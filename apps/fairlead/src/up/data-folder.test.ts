import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { defaultDataFolder, openDataFolder } from "./data-folder.ts";

const base = await mkdtemp(join(tmpdir(), "fairlead-data-folder-test-"));
after(async () => await rm(base, { recursive: true, force: true }));

test("a second `up` on the same folder is told who has it; a release lets it in", async () => {
  const path = join(base, "a", "b");
  const first = await openDataFolder(path);
  await assert.rejects(openDataFolder(path), {
    code: "FL_UP_FOLDER_IN_USE",
    message: new RegExp(`\\(pid ${process.pid}\\) runs on .*/a/b; stop it, or choose a folder with --data-folder`),
  });
  const other = await openDataFolder(join(base, "c"));
  await first.release();
  await (await openDataFolder(path)).release();
  await other.release();
  assert.ok((await stat(join(path, "logs"))).isDirectory(), "what is in a folder stays");
});

test("a temporary folder goes with its release", async () => {
  const folder = await openDataFolder(undefined);
  await folder.release();
  await assert.rejects(stat(folder.path), { code: "ENOENT" });
});

test("a folder that cannot be used is a clear error", async () => {
  await writeFile(join(base, "file"), "");
  await assert.rejects(openDataFolder(join(base, "file", "x")), { code: "FL_UP_FOLDER_UNUSABLE", message: /ENOTDIR/ });
  // Where Node's recursive mkdir would never return.
  if (process.platform === "linux")
    await assert.rejects(openDataFolder("/proc/fairlead/x"), { code: "FL_UP_FOLDER_UNUSABLE" });
});

test("root has its data below /var/lib, others below XDG_DATA_HOME or their home", () => {
  assert.equal(defaultDataFolder({}, 0), "/var/lib/fairlead");
  assert.equal(defaultDataFolder({ XDG_DATA_HOME: "/data" }, 1000), "/data/fairlead");
  assert.match(defaultDataFolder({ XDG_DATA_HOME: "" }, 1000), /\/.local\/share\/fairlead$/);
});
