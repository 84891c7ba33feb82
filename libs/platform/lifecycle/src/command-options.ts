import { type CommandOption, WrongUsage } from "./command-line.ts";

export function flag(help: string): CommandOption<boolean> {
  return { help, absent: false, read: () => true };
}

export function text(value: string, help: string): CommandOption<string | undefined> {
  return { help, value, read: (given) => given };
}

export function wholeNumber(whenAbsent: number, help: string): CommandOption<number> {
  return { help, value: "N", default: String(whenAbsent), read: numberOf };
}

/** Separated by commas; may be empty. */
export function wholeNumbers(whenAbsent: readonly number[], help: string): CommandOption<readonly number[]> {
  return {
    help,
    value: "N,N,…",
    default: whenAbsent.join(","),
    read: (given) => given.split(",").filter(Boolean).map(numberOf),
  };
}

/** One of the words that there are. */
export function oneOf<const Word extends string>(words: readonly Word[], help: string): CommandOption<Word | undefined>;
export function oneOf<const Word extends string>(
  words: readonly Word[],
  help: string,
  whenAbsent: NoInfer<Word>,
): CommandOption<Word>;
export function oneOf(words: readonly string[], help: string, whenAbsent?: string): CommandOption<string | undefined> {
  return {
    help: `${help}: ${words.join(", ")}`,
    value: "NAME",
    ...(whenAbsent === undefined ? {} : { default: whenAbsent }),
    read: (given) => wordOf(words, given),
  };
}

/** Some of the words that there are, separated by commas, in lower or upper case. */
export function someOf(words: readonly string[], help: string): CommandOption<ReadonlySet<string>> {
  return {
    help: `${help}: ${words.join(", ")}`,
    value: "NAME,…",
    absent: new Set(words),
    read: (given) =>
      new Set(
        given
          .toLowerCase()
          .split(",")
          .filter(Boolean)
          .map((word) => wordOf(words, word)),
      ),
  };
}

function wordOf(words: readonly string[], given: string): string {
  if (!words.includes(given)) throw new WrongUsage(`there is ${words.join(", ")}, and no ${given}`);
  return given;
}

function numberOf(given: string): number {
  const number = Number(given);
  if (given.trim() === "" || !Number.isInteger(number) || number < 0) throw new WrongUsage("it takes a whole number");
  return number;
}
