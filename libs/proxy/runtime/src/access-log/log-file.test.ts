import assert from "node:assert/strict";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { LogFile, LogFileStats } from "./log-file.ts";

const folder = await mkdtemp(join(tmpdir(), "fairlead-log-"));
after(async () => await rm(folder, { recursive: true }));

test("lines are written together, in their order", async () => {
  const path = join(folder, "together");
  const stats = new LogFileStats();
  const file = new LogFile({ target: path, flushMs: 60_000 }, stats);
  for (let i = 0; i < 100; i++) file.write(`${i}\n`);
  assert.equal(stats.write_total_buffered > 0, true);
  await file.close();
  assert.equal(await readFile(path, "utf8"), Array.from({ length: 100 }, (_, i) => `${i}\n`).join(""));
  assert.deepEqual([stats.write_buffered, stats.write_completed, stats.write_total_buffered], [100, 1, 0]);
});

test("what comes during a write waits for more, and is written with what comes then", async () => {
  const path = join(folder, "waiting");
  const stats = new LogFileStats();
  const file = new LogFile({ target: path, flushMs: 60_000, flushBytes: 1000 }, stats);
  const line = `${"a".repeat(9)}\n`;
  for (let i = 0; i < 150; i++) file.write(line);
  while (stats.write_completed === 0) await turn();
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual([stats.write_completed, stats.write_total_buffered], [1, 500]);
  for (let i = 0; i < 50; i++) file.write(line);
  while (stats.write_completed === 1) await turn();
  assert.equal(stats.write_total_buffered, 0);
  file.write(line);
  await file.flush();
  assert.deepEqual([stats.write_completed, stats.write_total_buffered], [3, 0]);
  await file.close();
  assert.equal(await readFile(path, "utf8"), line.repeat(201));
});

test("what comes while too much waits is dropped and counted; later lines are written again", async () => {
  const path = join(folder, "bounded");
  const stats = new LogFileStats();
  const file = new LogFile({ target: path, flushMs: 60_000, maxPendingBytes: 10 }, stats);
  for (const line of ["aaaa\n", "bbbb\n", "cccc\n"]) file.write(line);
  assert.equal(stats.write_dropped, 1);
  await file.flush();
  file.write("dddd\n");
  await file.close();
  assert.equal(await readFile(path, "utf8"), "aaaa\nbbbb\ndddd\n");
});

test("after a rotation lines go to the new file, none is lost", async () => {
  const path = join(folder, "rotated");
  const file = new LogFile({ target: path, flushMs: 60_000 });
  file.write("before\n");
  await file.flush();
  await rename(path, `${path}.1`);
  file.write("between\n");
  await file.reopen();
  file.write("after\n");
  await file.close();
  assert.equal(await readFile(`${path}.1`, "utf8"), "before\nbetween\n");
  assert.equal(await readFile(path, "utf8"), "after\n");
});

test("a file that cannot be opened is told once, and its lines are counted", async () => {
  const stats = new LogFileStats();
  const failures: Error[] = [];
  const target = join(folder, "no", "such", "folder");
  const file = new LogFile({ target, flushMs: 60_000, onFailure: (error) => failures.push(error) }, stats);
  file.write("a\n");
  await file.flush();
  file.write("b\n");
  await file.close();
  assert.deepEqual(
    [failures.length, stats.write_failed, stats.write_dropped, stats.write_total_buffered],
    [1, 2, 2, 0],
  );
});
