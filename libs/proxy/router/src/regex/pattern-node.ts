import type { CharSet } from "./char-set.ts";

/** What a pattern says, parsed. */
export type PatternNode =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "alternatives"; readonly parts: readonly PatternNode[] }
  /** @param max Infinity for no end */
  | { readonly kind: "repeat"; readonly of: PatternNode; readonly min: number; readonly max: number; readonly greedy: boolean } // prettier-ignore
  /** @param group from 1 */
  | { readonly kind: "capture"; readonly of: PatternNode; readonly group: number };

export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "wordBoundary" | "notWordBoundary";

/** A pattern that RE2 would not take either. */
export class PatternError extends Error {}
