#!/usr/bin/env node
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";

let readerLeft = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    // As SIGPIPE ends other programs (`fairlead get | head`), but in order: `up` has processes to stop.
    if (!readerLeft) process.kill(process.pid, "SIGTERM");
    readerLeft = true;
  });
}

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has written the message, or the help that was asked for.
  process.exitCode = error.exitCode === 0 ? 0 : 64;
}
