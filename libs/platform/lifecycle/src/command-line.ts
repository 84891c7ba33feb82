import { parseArgs } from "node:util";

/** One option of a command: how `--help` shows it, and what is made of its text. */
export interface CommandOption<T> {
  readonly help: string;
  /** What follows the option in `--help`, as N or NAME. @default nothing: it is a flag */
  readonly value?: string;
  /** The text that is read where the option is not given. @default `absent` is its value */
  readonly default?: string;
  readonly absent?: T;
  /** @throws WrongUsage saying what it takes instead */
  read(text: string): T;
}

export interface CommandSyntax<Options extends Readonly<Record<string, CommandOption<unknown>>>> {
  /** How it is called and what it does: the head of `--help`. */
  readonly usage: string;
  /** `--help` is always there. @default none */
  readonly options?: Options;
  /** How many words without dashes it takes, at least and at most. @default none */
  readonly words?: readonly [atLeast: number, atMost: number];
}

export interface CommandLine<Options> {
  readonly options: {
    readonly [Name in keyof Options]: Options[Name] extends CommandOption<infer T> ? T : never;
  };
  readonly words: readonly string[];
}

type AnyOptions = Readonly<Record<string, CommandOption<unknown>>>;

/** A command line that a command does not take; the message is one line. */
export class WrongUsage extends Error {
  override readonly name = "WrongUsage";
}

/**
 * What this process was called with. `--help` prints the usage and ends the process with 0; what the command does not take is answered with one
 * line, and 2.
 */
export function readCommandLine<const Options extends AnyOptions>(
  syntax: CommandSyntax<Options>,
  args: readonly string[] = process.argv.slice(2),
): CommandLine<Options> {
  if (args.includes("--help")) {
    process.stdout.write(helpOf(syntax));
    process.exit(0);
  }
  try {
    return parseCommandLine(args, syntax);
  } catch (error) {
    if (error instanceof WrongUsage) endWrongUsage(error.message);
    throw error;
  }
}

/** Ends the process over its command line. */
export function endWrongUsage(what: string, exitCode = 2): never {
  process.stderr.write(`${what}; --help tells what there is\n`);
  process.exit(exitCode);
}

/** @throws WrongUsage */
export function parseCommandLine<const Options extends AnyOptions>(
  args: readonly string[],
  { options, words: [atLeast, atMost] = [0, 0] }: CommandSyntax<Options>,
): CommandLine<Options> {
  const known = Object.entries<CommandOption<unknown>>(options ?? {});
  const { values, positionals } = textsOf(args, known);
  if (positionals.length > atMost) throw new WrongUsage(`${positionals[atMost]} is one word too many`);
  if (positionals.length < atLeast) throw new WrongUsage("a word is missing");
  const read = known.map(([name, option]) => {
    const text = values[name] ?? option.default;
    if (text === undefined) return [name, option.absent];
    try {
      return [name, option.read(String(text))];
    } catch (error) {
      if (error instanceof WrongUsage) throw new WrongUsage(`--${name} ${String(text)}: ${error.message}`);
      throw error;
    }
  });
  return { options: Object.fromEntries(read) as CommandLine<Options>["options"], words: positionals };
}

export function helpOf({ usage, options = {} }: CommandSyntax<AnyOptions>): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const words = option.value === undefined ? `--${name}` : `--${name} ${option.value}`;
    return [words, option.default === undefined ? option.help : `${option.help} [${option.default}]`] as const;
  });
  const width = Math.max(...rows.map(([words]) => words.length), "--help".length);
  const lines = [...rows, ["--help", "this text"] as const].map(([words, help]) => `  ${words.padEnd(width)}  ${help}`);
  return `${usage}\n\n${lines.join("\n")}\n`;
}

function textsOf(args: readonly string[], known: readonly (readonly [string, CommandOption<unknown>])[]) {
  const types = known.map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }] as const);
  try {
    return parseArgs({ args: [...args], options: Object.fromEntries(types), allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // What follows is about words that begin with a dash, which no command takes.
    throw new WrongUsage(error.message.replace(/(\.\s+To specify|\.?\n)[^]*$/, ""));
  }
}
