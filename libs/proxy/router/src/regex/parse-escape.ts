import { type CharSet, negate, rangeSet, unicodeClass } from "./char-set.ts";
import { PatternError } from "./pattern-node.ts";
import type { PatternSource } from "./pattern-source.ts";

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** What follows a backslash and stands for characters, inside a class and outside. @throws PatternError */
export function parseEscape(source: PatternSource): CharSet {
  const char = source.text[source.at++];
  if (char === undefined) throw new PatternError("a \\ at the end");
  if (char === "p" || char === "P") {
    const set = parseProperty(source);
    return char === "p" ? set : negate(set);
  }
  const code = codeOf(char, source);
  return rangeSet(code, code);
}

/** The one character that an escape stands for. @throws PatternError */
export function codeOf(char: string, source: PatternSource): number {
  const control = controls[char];
  if (control !== undefined) return control;
  if (char === "x") return hex(source);
  if (char === "0") return octal(source);
  if (/[A-Za-z0-9]/.test(char)) throw new PatternError(`\\${char} is not supported`);
  return char.charCodeAt(0);
}

function hex(source: PatternSource): number {
  const found = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(source.text.slice(source.at, source.at + 9));
  const code = Number.parseInt(found?.[1] ?? found?.[2] ?? "", 16);
  if (found === null || code > 0xffff) throw new PatternError("\\x without the digits of a character");
  source.at += found[0].length;
  return code;
}

function octal(source: PatternSource): number {
  const digits = /^[0-7]{0,2}/.exec(source.text.slice(source.at, source.at + 2))?.[0] ?? "";
  source.at += digits.length;
  return Number.parseInt(`0${digits}`, 8);
}

function parseProperty(source: PatternSource): CharSet {
  const found = /^(?:([A-Z])|\{(\^?)([A-Za-z_]+)\})/.exec(source.text.slice(source.at, source.at + 50));
  if (found === null) throw new PatternError("\\p without a name");
  source.at += found[0].length;
  const name = found[1] ?? found[3] ?? "";
  const set = unicodeClass(name);
  if (set === undefined) throw new PatternError(`\\p{${name}} is not known`);
  return found[2] === "^" ? negate(set) : set;
}
