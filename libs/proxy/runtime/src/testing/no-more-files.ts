import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";

/** Runs `work` while this process may open no file and no socket more than it has. */
export async function withoutFiles<T>(work: () => Promise<T>): Promise<T> {
  const limit = (files: string): string => `prlimit --pid ${process.pid} --nofile=${files}:`;
  // Another process, which is there before: to start one takes files.
  const script = `read limit; ${limit("$limit")}; echo set; read over; ${limit("$(ulimit -Sn)")}`;
  const helper = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(helper, "exit");
  // The lowest number that is free: all below it are in use.
  const free = openSync("/dev/null", "r");
  closeSync(free);
  helper.stdin.write(`${free}\n`);
  await once(helper.stdout, "data");
  try {
    return await work();
  } finally {
    helper.stdin.end("\n");
    await exited;
  }
}
