import { type CharSet, foldCase, negate, perlClasses, rangeSet, setOf } from "./char-set.ts";
import { parseClass } from "./parse-class.ts";
import { parseEscape } from "./parse-escape.ts";
import { type Assertion, PatternError, type PatternNode } from "./pattern-node.ts";
import type { PatternSource } from "./pattern-source.ts";

/** RE2's limit of a count. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly swapGreed: boolean;
}

const assertions: Readonly<Record<string, Assertion>> = {
  A: "textStart",
  z: "textEnd",
  b: "wordBoundary",
  B: "notWordBoundary",
};

/**
 * Reads RE2's syntax (no back references, no look-around: nothing whose time is not linear).
 *
 * @throws PatternError
 */
export function parsePattern(
  pattern: string,
  ignoreCase: boolean,
): { readonly node: PatternNode; readonly groups: number } {
  const parser = new Parser(pattern, { ignoreCase, multiLine: false, dotAll: false, swapGreed: false });
  return { node: parser.parse(), groups: parser.groups };
}

class Parser implements PatternSource {
  readonly text: string;
  at = 0;
  groups = 0;
  #flags: Flags;
  #depth = 0;

  constructor(text: string, flags: Flags) {
    this.text = text;
    this.#flags = flags;
  }

  parse(): PatternNode {
    const node = this.#alternatives();
    if (this.at < this.text.length) throw new PatternError("unexpected )");
    return node;
  }

  get ignoreCase(): boolean {
    return this.#flags.ignoreCase;
  }

  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  #alternatives(): PatternNode {
    if (++this.#depth > MAX_DEPTH) throw new PatternError("nested too deeply");
    const parts = [this.#sequence()];
    while (this.take("|")) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "alternatives", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.at < this.text.length && this.text[this.at] !== "|" && this.text[this.at] !== ")") {
      if (this.take("\\Q")) {
        const end = this.text.indexOf("\\E", this.at);
        const literal = this.text.slice(this.at, end === -1 ? undefined : end);
        for (let i = 0; i < literal.length; i++) parts.push(this.#char(literal.charCodeAt(i)));
        this.at = end === -1 ? this.text.length : end + 2;
        if (literal !== "") parts.push(this.#repeats(parts.pop() ?? { kind: "empty" }));
        continue;
      }
      const atom = this.#atom();
      if (atom !== undefined) parts.push(this.#repeats(atom));
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "sequence", parts };
  }

  /** @returns undefined for what stands for nothing: flags */
  #atom(): PatternNode | undefined {
    const char = this.text[this.at] ?? "";
    if (char === "*" || char === "+" || char === "?") throw new PatternError(`nothing to repeat before ${char}`);
    if (char === "[") return { kind: "set", set: parseClass(this) };
    this.at++;
    switch (char) {
      case "(":
        return this.#group();
      case ".":
        return { kind: "set", set: setOf((code) => this.#flags.dotAll || code !== 10, () => true) }; // prettier-ignore
      case "^":
        return { kind: "assert", what: this.#flags.multiLine ? "lineStart" : "textStart" };
      case "$":
        return { kind: "assert", what: this.#flags.multiLine ? "lineEnd" : "textEnd" };
      case "\\":
        return this.#escape();
      default:
        return this.#char(char.charCodeAt(0));
    }
  }

  #escape(): PatternNode {
    const char = this.text[this.at] ?? "";
    const assertion = assertions[char];
    if (assertion !== undefined) {
      this.at++;
      return { kind: "assert", what: assertion };
    }
    const perl = perlClasses[char.toLowerCase()];
    if (perl !== undefined) {
      this.at++;
      return { kind: "set", set: char === char.toLowerCase() ? perl : negate(perl) };
    }
    return this.#set(parseEscape(this));
  }

  #group(): PatternNode {
    if (this.take("?")) {
      const named = /^P?<([A-Za-z0-9_]+)>/.exec(this.text.slice(this.at, this.at + 100));
      if (named === null) return this.#flagGroup() ?? { kind: "empty" };
      this.at += named[0].length;
    }
    const group = ++this.groups;
    return { kind: "capture", of: this.#inParentheses(), group };
  }

  /** `(?i)` changes the flags up to the end of the group around it, `(?i:x)` for its own. */
  #flagGroup(): PatternNode | undefined {
    const found = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.text.slice(this.at, this.at + 20));
    if (found === null || (found[0] === ")" && found[1] === ""))
      throw new PatternError(`(?${this.text.slice(this.at, this.at + 1)} is not supported: no look-around`);
    const [all, on = "", off = "", end] = found;
    this.at += all.length;
    const has = (flag: string, before: boolean): boolean => (before || on.includes(flag)) && !off.includes(flag);
    const before = this.#flags;
    this.#flags = {
      ignoreCase: has("i", before.ignoreCase),
      multiLine: has("m", before.multiLine),
      dotAll: has("s", before.dotAll),
      swapGreed: has("U", before.swapGreed),
    };
    if (end === ")") return undefined;
    const node = this.#inParentheses();
    this.#flags = before;
    return node;
  }

  #inParentheses(): PatternNode {
    const flags = this.#flags;
    const node = this.#alternatives();
    this.#flags = flags;
    if (!this.take(")")) throw new PatternError("a ) is missing");
    return node;
  }

  #repeats(atom: PatternNode): PatternNode {
    const count = this.#count();
    if (count === undefined) return atom;
    const lazy = this.take("?");
    if (this.#count() !== undefined) throw new PatternError("a repetition of a repetition");
    return { kind: "repeat", of: atom, ...count, greedy: lazy === this.#flags.swapGreed };
  }

  #count(): { readonly min: number; readonly max: number } | undefined {
    if (this.take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.take("?")) return { min: 0, max: 1 };
    // What is no count is text, as in RE2.
    const found = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(this.text.slice(this.at, this.at + 20));
    if (found === null) return undefined;
    this.at += found[0].length;
    const min = Number(found[1]);
    const max = found[3] !== undefined ? Number(found[3]) : found[2] === undefined ? min : Number.POSITIVE_INFINITY;
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && (max > MAX_REPEAT || max < min)))
      throw new PatternError(`the repetition ${found[0]}`);
    return { min, max };
  }

  #char(code: number): PatternNode {
    return this.#set(rangeSet(code, code));
  }

  #set(set: CharSet): PatternNode {
    return { kind: "set", set: this.#flags.ignoreCase ? foldCase(set) : set };
  }
}
