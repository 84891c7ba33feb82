import { Command } from "commander";
import { applyCommand } from "./commands/apply.ts";
import { deleteCommand } from "./commands/delete.ts";
import { diffCommand } from "./commands/diff.ts";
import { explainCommand } from "./commands/explain.ts";
import { getCommand } from "./commands/get.ts";
import { type CommandOutput, processOutput } from "./commands/output.ts";
import { statusCommand } from "./commands/status.ts";
import { upCommand } from "./commands/up.ts";

/**
 * The command line as commander objects: what runs, and what docs/reference/cli.md is generated from.
 * Usage errors leave `parseAsync` as a CommanderError; commands say all others themselves and set the exit code.
 */
export function createProgram(
  output: CommandOutput = processOutput,
  input: NodeJS.ReadableStream = process.stdin,
): Command {
  const program = new Command("fairlead")
    .description("The command line of Fairlead, a service mesh.")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 it failed (the message has a code of docs/reference/errors.md), 64 wrong usage. `diff` has its own.",
    );
  for (const command of [
    upCommand(output),
    statusCommand(output),
    applyCommand(output, input),
    diffCommand(output, input),
    explainCommand(output),
    getCommand(output),
    deleteCommand(output),
  ]) {
    program.addCommand(command);
  }
  for (const command of [program, ...program.commands]) {
    command
      .configureOutput({ writeOut: (text) => output.out.write(text), writeErr: (text) => output.err.write(text) })
      .showHelpAfterError("(see --help)")
      .exitOverride();
  }
  return program;
}
