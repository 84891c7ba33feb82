import { createRequire } from "node:module";
import type { RE2 } from "re2-wasm";
import { invalidRoute } from "./route-error.ts";

/** Compiled programs are kept: configuration comes again and again with the same patterns, and wasm memory is not collected. */
const compiled = new Map<string, RE2>();
const MAX_COMPILED = 4096;
/** A pattern that is longer is no route of a person; its program could be megabytes. */
const MAX_PATTERN_LENGTH = 4096;

/**
 * A regular expression in RE2 syntax. Its time is linear in the text, whatever the pattern: what a client sends is matched
 * against what an operator wrote, so a backtracking engine would let either stop the proxy.
 *
 * @param where for the error
 * @throws FairleadError FL_ROUTE_INVALID when RE2 does not take the pattern
 */
export function linearRegex(pattern: string, flags: "" | "g" | "i", where: string): RE2 {
  const key = `${flags}/${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw invalidRoute(where, `a pattern of more than ${MAX_PATTERN_LENGTH} characters`);
  if (compiled.size >= MAX_COMPILED)
    throw invalidRoute(where, `more than ${MAX_COMPILED} different patterns in one proxy`);
  try {
    const regex = new (engine())(pattern, `u${flags}`);
    compiled.set(key, regex);
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

let loaded: typeof RE2 | undefined;

/** Loaded at the first pattern: it costs 20 ms and 10 MB that most proxies never need. */
function engine(): typeof RE2 {
  if (loaded === undefined) {
    const module: { RE2: typeof RE2 } = createRequire(import.meta.url)("re2-wasm");
    loaded = module.RE2;
  }
  return loaded;
}
