import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { copyOut } from "./binaries.ts";

let folder: string;
let native: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "fairlead-binaries-"));
  native = join(folder, "package", "native");
  await mkdir(join(native, "bin"), { recursive: true });
  await writeFile(join(native, "bin", "postgres"), "ours", { mode: 0o700 });
});
after(async () => await rm(folder, { recursive: true, force: true }));

test("the copy can be run by everyone, written by its owner, and is made once", async () => {
  const into = join(folder, "once");
  const [first, second] = await Promise.all([
    copyOut({ version: "1", native }, into),
    copyOut({ version: "1", native }, into),
  ]);
  assert.equal(first, second);
  assert.deepEqual(await readdir(into), ["postgres-binaries-1"]);
  assert.equal((await stat(first)).mode & 0o777, 0o755);
  assert.equal((await stat(join(first, "bin", "postgres"))).mode & 0o777, 0o755);
  await writeFile(join(native, "bin", "postgres"), "newer");
  assert.equal(await readFile(join(await copyOut({ version: "1", native }, into), "bin", "postgres"), "utf8"), "ours");
});

test("what others can change is not used: a link, a folder that they may write to", async () => {
  const theirs = join(folder, "theirs");
  await mkdir(join(theirs, "bin"), { recursive: true });
  await writeFile(join(theirs, "bin", "postgres"), "theirs");
  const linked = join(folder, "linked");
  await mkdir(linked);
  await symlink(theirs, join(linked, "postgres-binaries-1"));
  const open = join(folder, "open");
  const planted = join(open, "postgres-binaries-1");
  await mkdir(join(planted, "bin"), { recursive: true });
  await chmod(planted, 0o777);
  for (const into of [linked, open]) {
    await assert.rejects(copyOut({ version: "1", native }, into), { syscall: "rename" });
    assert.deepEqual(await readdir(into), ["postgres-binaries-1"], "nothing is left behind");
  }
});
