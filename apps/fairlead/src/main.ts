#!/usr/bin/env node
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has written the message, or the help that was asked for.
  process.exitCode = error.exitCode === 0 ? 0 : 64;
}
