import { type CharSet, foldCase, negate, perlClasses, posixClasses, rangeSet, union } from "./char-set.ts";
import { codeOf, parseEscape } from "./parse-escape.ts";
import { PatternError } from "./pattern-node.ts";
import type { PatternSource } from "./pattern-source.ts";

/** `[…]`, from its bracket on. @throws PatternError */
export function parseClass(source: PatternSource): CharSet {
  source.take("[");
  const negated = source.take("^");
  const sets: CharSet[] = [];
  // A ] that comes first is text.
  for (let first = true; first || !source.take("]"); first = false) {
    if (source.at >= source.text.length) throw new PatternError("a ] is missing");
    sets.push(parseItem(source));
  }
  const set = source.ignoreCase ? foldCase(union(sets)) : union(sets);
  return negated ? negate(set) : set;
}

function parseItem(source: PatternSource): CharSet {
  const posix = /^\[:(\^?)([a-z]+):\]/.exec(source.text.slice(source.at, source.at + 12));
  if (posix !== null) {
    const set = posixClasses[posix[2] ?? ""];
    if (set === undefined) throw new PatternError(`${posix[0]} is not known`);
    source.at += posix[0].length;
    return posix[1] === "^" ? negate(set) : set;
  }
  if (source.text[source.at] === "\\") {
    const char = source.text[source.at + 1] ?? "";
    const perl = perlClasses[char.toLowerCase()];
    if (perl !== undefined) {
      source.at += 2;
      return char === char.toLowerCase() ? perl : negate(perl);
    }
    if (char === "p" || char === "P") {
      source.at++;
      return parseEscape(source);
    }
  }
  const from = parseChar(source);
  if (source.text[source.at] !== "-" || source.text[source.at + 1] === "]" || source.at + 1 >= source.text.length)
    return rangeSet(from, from);
  source.at++;
  const to = parseChar(source);
  if (to < from) throw new PatternError("a range whose end comes before its start");
  return rangeSet(from, to);
}

function parseChar(source: PatternSource): number {
  const char = source.text[source.at++];
  if (char === undefined) throw new PatternError("a ] is missing");
  if (char !== "\\") return char.charCodeAt(0);
  const escaped = source.text[source.at++];
  if (escaped === undefined) throw new PatternError("a \\ at the end");
  return codeOf(escaped, source);
}
