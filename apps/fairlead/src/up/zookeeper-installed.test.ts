import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isZooKeeperInstalled } from "./zookeeper-installed.ts";

test("ZooKeeper is installed where its jar and Java are", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-zookeeper-"));
  t.after(async () => await rm(folder, { recursive: true }));
  const jar = join(folder, "zookeeper.jar");
  await writeFile(join(folder, "java"), "");
  assert.equal(isZooKeeperInstalled(`/nowhere:${folder}`, jar), false);
  await writeFile(jar, "");
  assert.equal(isZooKeeperInstalled(`/nowhere:${folder}`, jar), true);
  assert.equal(isZooKeeperInstalled("/nowhere", jar), false);
  assert.equal(isZooKeeperInstalled("", jar), false);
});
