import type { CharSet } from "./char-set.ts";
import { type Assertion, PatternError, type PatternNode } from "./pattern-node.ts";

export const SET = 0;
export const SPLIT = 1;
export const ASSERT = 2;
export const SAVE = 3;
export const MATCH = 4;

/**
 * One step of a match. `next`: where to go on; of a SPLIT what is tried first, `other` second; `number` of a SPLIT counts them,
 * of a SAVE is the slot.
 */
export interface Instruction {
  readonly kind: number;
  next: number;
  other: number;
  readonly number: number;
  readonly set: CharSet | undefined;
  readonly what: Assertion | undefined;
}

export interface RegexProgram {
  readonly code: readonly Instruction[];
  readonly start: number;
  readonly splits: number;
  /** Positions that are saved: two for each group, that of the whole included. */
  readonly slots: number;
}

/** What a person writes has some ten. */
const MAX_INSTRUCTIONS = 10_000;

/** Thompson's construction, from the end to the start. @throws PatternError when it would be too large */
export function compileProgram(node: PatternNode, groups: number): RegexProgram {
  const code: Instruction[] = [];
  let splits = 0;
  const emit = (kind: number, next: number, more: Partial<Instruction> = {}): number => {
    if (code.length >= MAX_INSTRUCTIONS) throw new PatternError("the pattern is too large");
    code.push({ kind, next, other: -1, number: 0, set: undefined, what: undefined, ...more });
    return code.length - 1;
  };
  const split = (first: number, second: number, greedy: boolean): number =>
    emit(SPLIT, greedy ? first : second, { other: greedy ? second : first, number: splits++ });
  const loop = (of: PatternNode, next: number, greedy: boolean): number => {
    const at = split(-1, next, greedy);
    const body = build(of, at);
    const instruction = code[at];
    if (instruction !== undefined) {
      if (greedy) instruction.next = body;
      else instruction.other = body;
    }
    return at;
  };
  /** @returns where it begins */
  const build = (part: PatternNode, next: number): number => {
    switch (part.kind) {
      case "empty":
        return next;
      case "set":
        return emit(SET, next, { set: part.set });
      case "assert":
        return emit(ASSERT, next, { what: part.what });
      case "sequence":
        return part.parts.reduceRight((then, child) => build(child, then), next);
      case "alternatives":
        return part.parts
          .slice(0, -1)
          .reduceRight(
            (then, child) => split(build(child, next), then, true),
            build(part.parts.at(-1) ?? { kind: "empty" }, next),
          );
      case "capture":
        return emit(SAVE, build(part.of, emit(SAVE, next, { number: part.group * 2 + 1 })), { number: part.group * 2 });
      default: {
        let then = part.max === Number.POSITIVE_INFINITY ? loop(part.of, next, part.greedy) : next;
        if (part.max !== Number.POSITIVE_INFINITY)
          for (let i = part.min; i < part.max; i++) then = split(build(part.of, then), next, part.greedy);
        for (let i = 0; i < part.min; i++) then = build(part.of, then);
        return then;
      }
    }
  };
  const start = emit(SAVE, build(node, emit(SAVE, emit(MATCH, -1), { number: 1 })), { number: 0 });
  return { code, start, splits, slots: (groups + 1) * 2 };
}
