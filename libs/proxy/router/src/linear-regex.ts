import { createRequire } from "node:module";
import type { RE2 } from "re2-wasm";
import { invalidRoute } from "./route-error.ts";

/** Kept: configuration comes again and again with the same patterns. */
const known = new Map<string, LinearRegex>();
const MAX_KNOWN = 4096;
/** A pattern that is longer is no route of a person; its program could be megabytes. */
const MAX_PATTERN_LENGTH = 4096;

/**
 * A regular expression in RE2 syntax. Its time is linear in the text, whatever the pattern: what a client sends is matched
 * against what an operator wrote, so a backtracking engine would let either stop the proxy.
 *
 * The engine has 16 MB for all programs and for what they remember while they match, gives nothing back, and is of no use once they
 * are full: which a client can bring about with paths that lead one pattern through very many states. Then a new engine takes
 * its place, and each pattern is compiled in it when it is next used.
 */
class LinearRegex {
  readonly #pattern: string;
  readonly #flags: string;
  #engine: typeof RE2 | undefined;
  #program: RE2 | undefined;

  constructor(pattern: string, flags: string) {
    this.#pattern = pattern;
    this.#flags = flags;
    this.#run(() => undefined);
  }

  test(text: string): boolean {
    return this.#run((program) => program.test(text));
  }

  /** The first match at or behind `from`. */
  exec(text: string, from: number): ReturnType<RE2["exec"]> {
    return this.#run((program) => {
      program.lastIndex = from;
      return program.exec(text);
    });
  }

  #run<Result>(use: (program: RE2) => Result): Result {
    try {
      return use(this.#compiled());
    } catch (error) {
      if (error instanceof SyntaxError) throw error;
      engine = undefined;
      return use(this.#compiled());
    }
  }

  #compiled(): RE2 {
    engine ??= newEngine();
    if (this.#program === undefined || this.#engine !== engine) {
      this.#program = new engine(this.#pattern, this.#flags);
      this.#engine = engine;
    }
    return this.#program;
  }
}

/**
 * @param where for the error
 * @throws FairleadError FL_ROUTE_INVALID when RE2 does not take the pattern
 */
export function linearRegex(pattern: string, flags: "" | "g" | "i", where: string): LinearRegex {
  const key = `${flags}/${pattern}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw invalidRoute(where, `a pattern of more than ${MAX_PATTERN_LENGTH} characters`);
  try {
    const regex = new LinearRegex(pattern, `u${flags}`);
    if (known.size >= MAX_KNOWN) {
      known.clear();
      engine = undefined;
    }
    known.set(key, regex);
    return regex;
  } catch (error) {
    throw invalidRoute(
      where,
      `not a regular expression in RE2 syntax: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws FairleadError FL_ROUTE_INVALID */
export function fullMatch(pattern: string, ignoreCase: boolean, where: string): (text: string) => boolean {
  // Checked alone first: `a)(b` is no pattern, but in parentheses it would be one.
  linearRegex(pattern, ignoreCase ? "i" : "", where);
  const regex = linearRegex(`^(?:${pattern})$`, ignoreCase ? "i" : "", where);
  return (text) => regex.test(text);
}

/** Loaded at the first pattern: it costs 20 ms and 16 MB that most proxies never need. */
let engine: typeof RE2 | undefined;

/** The package makes its one engine when it is loaded; loaded afresh it makes another. */
function newEngine(): typeof RE2 {
  const load = createRequire(import.meta.url);
  for (const file of ["re2-wasm", "re2-wasm/build/wasm/re2"]) delete load.cache[load.resolve(file)];
  const module: { RE2: typeof RE2 } = load("re2-wasm");
  return module.RE2;
}
