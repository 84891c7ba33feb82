import { FairleadError, meaningOf } from "@fairlead/errors";
import { type Style, styleFor } from "../terminal/style.ts";

interface TextSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Where a command writes, and how it says that it failed. Tests read it. */
export interface CommandOutput {
  readonly out: TextSink;
  readonly err: TextSink;
  /** The process's exit code: 0, 1, 64 for usage; 2 where a command says so. */
  exitCode(code: number): void;
}

export const processOutput: CommandOutput = {
  out: process.stdout,
  err: process.stderr,
  exitCode(code) {
    process.exitCode = code;
  },
};

export const outputStyle = (output: CommandOutput): Style => styleFor(output.out);

export function writeJson(output: CommandOutput, value: unknown): void {
  output.out.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** The lines below the message, where it does not say all: each problem of a policy file, each proxy that is missing. */
function detailLines(error: FairleadError): string[] {
  const { details } = error.facts;
  return Array.isArray(details)
    ? details.filter((detail) => !error.message.startsWith(String(detail))).map((detail) => `  ${detail}`)
    : [];
}

/** Says what went wrong and sets the exit code: 64 for wrong usage, else `exitCode`. */
export function reportError(output: CommandOutput, caught: unknown, json: boolean, exitCode = 1): void {
  const error = FairleadError.from(caught);
  const told = error.facts["action"];
  const action = typeof told === "string" && told !== "" ? told : (meaningOf(error.code)?.action ?? "");
  output.exitCode(error.code === "FL_CLI_USAGE" || error.code === "FL_CONFIG_INVALID" ? 64 : exitCode);
  if (json) {
    const { action: _, ...facts } = error.facts;
    return writeJson(output, { code: error.code, message: error.message, action, facts });
  }
  const style = styleFor(output.err);
  const lines = [
    `${style("red", error.code)}: ${error.message}`,
    ...detailLines(error),
    ...(action === "" ? [] : [style("dim", action)]),
  ];
  output.err.write(`${lines.join("\n")}\n`);
}
