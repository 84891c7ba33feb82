import { match, type MatchBudget } from "./regex/bounded-match.ts";
import { parsePattern } from "./regex/parse-pattern.ts";
import { PatternError } from "./regex/pattern-node.ts";
import { compileProgram, type RegexProgram } from "./regex/regex-program.ts";
import { invalidRoute } from "./route-error.ts";

/** Kept: configuration comes again and again with the same patterns. */
const known = new Map<string, LinearRegex>();
const MAX_KNOWN = 4096;
/** A pattern that is longer is no route of a person. */
const MAX_PATTERN_LENGTH = 4096;

/**
 * A regular expression in RE2 syntax, whose time is bounded whatever the pattern and the text: what a client sends is matched
 * against what an operator wrote, so that an engine without a bound would let either stop the proxy.
 *
 * Characters are UTF-16 code units of a text as the codec gives it.
 */
export class LinearRegex {
  readonly #program: RegexProgram;

  constructor(program: RegexProgram) {
    this.#program = program;
  }

  /** Whether it matches all of the text. @throws MatchTooLong */
  test(text: string): boolean {
    return match(this.#program, text, 0, true) !== undefined;
  }

  /** The first match at or behind `from`: start and end of it and of its groups. @throws MatchTooLong */
  exec(text: string, from: number, budget?: MatchBudget): Int32Array | undefined {
    return match(this.#program, text, from, false, budget);
  }
}

/**
 * @param where for the error
 * @throws FairleadError FL_ROUTE_INVALID when it is not in RE2's syntax
 */
export function linearRegex(pattern: string, ignoreCase: boolean, where: string): LinearRegex {
  const key = `${ignoreCase ? "i" : ""}/${pattern}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw invalidRoute(where, `a pattern of more than ${MAX_PATTERN_LENGTH} characters`);
  try {
    const { node, groups } = parsePattern(pattern, ignoreCase);
    const regex = new LinearRegex(compileProgram(node, groups));
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, regex);
    return regex;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw invalidRoute(where, `not a regular expression in RE2 syntax: ${error.message}`);
  }
}

/** @throws FairleadError FL_ROUTE_INVALID */
export function fullMatch(pattern: string, ignoreCase: boolean, where: string): (text: string) => boolean {
  const regex = linearRegex(pattern, ignoreCase, where);
  return (text) => regex.test(text);
}
