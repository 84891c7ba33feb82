import { word } from "./char-set.ts";
import type { Assertion } from "./pattern-node.ts";
import { ASSERT, MATCH, type RegexProgram, SAVE, SET } from "./regex-program.ts";

/** Steps of one match: below 2 ms here. A route's pattern on a real path takes some hundred. */
const MAX_STEPS = 150_000;
/** Steps of all matches that one request's route is looked for with: below 8 ms. A table of a hundred patterns takes some thousand. */
const MAX_SEARCH_STEPS = 4 * MAX_STEPS;
/** Of the notes of where a match has been: 1 MiB. */
const MAX_NOTES = 1 << 23;

/** A match was given up: the text is too long for the pattern. Whoever asked must refuse the request, not guess. */
export class MatchTooLong extends Error {
  /** What the client is told: 414 for a path, 431 for a header. */
  readonly status: 414 | 431;

  constructor(status: 414 | 431 = 414) {
    super("the text is too long for the pattern");
    this.status = status;
  }
}

/** What several matches on one text may take together. */
export interface MatchBudget {
  steps: number;
}

export function matchBudget(): MatchBudget {
  return { steps: MAX_STEPS };
}

/** What the search that is under way has left. */
let searchSteps = Number.POSITIVE_INFINITY;

/** From here to `endSearch`, matches also have a bound together: each may be cheap enough, and a table has many. */
export function startSearch(): void {
  searchSteps = MAX_SEARCH_STEPS;
}

export function endSearch(): void {
  searchSteps = Number.POSITIVE_INFINITY;
}

/** Shared by all matches: none is interrupted. */
let notes = new Int32Array(1024);
let stack = new Int32Array(1024);

/**
 * Looks for a match at `from` or behind; with `whole`, for one from the start to the end.
 *
 * Backtracking that notes the choices that it made at each position and makes none twice, so that its time is at most
 * (length × size of the program), and cut off at a number of steps: no client can take the proxy's time with a path. RE2's
 * automaton is as linear, but its constant is not: a path of 8 kB can cost it hundreds of milliseconds.
 *
 * @returns the positions of the groups (-1: took no part), or undefined
 * @throws MatchTooLong
 */
export function match(
  program: RegexProgram,
  text: string,
  from: number,
  whole: boolean,
  budget: MatchBudget = matchBudget(),
): Int32Array | undefined {
  if (searchSteps <= 0) throw new MatchTooLong();
  const before = budget.steps;
  try {
    return firstMatch(program, text, from, whole, budget);
  } finally {
    searchSteps -= before - budget.steps;
  }
}

function firstMatch(
  program: RegexProgram,
  text: string,
  from: number,
  whole: boolean,
  budget: MatchBudget,
): Int32Array | undefined {
  const bits = (text.length + 1) * program.splits;
  if (bits > MAX_NOTES) throw new MatchTooLong();
  const words = (bits >> 5) + 1;
  if (notes.length < words) notes = new Int32Array(words);
  else notes.fill(0, 0, words);
  budget.steps -= words >> 4;
  const slots = new Int32Array(program.slots);
  const last = whole ? from : text.length;
  for (let start = from; start <= last; start++) {
    // A pattern of hundreds of groups is emptied at each start: that is work, too.
    budget.steps -= program.slots >> 4;
    slots.fill(-1);
    if (run(program, text, start, whole, slots, budget)) return slots;
  }
  return undefined;
}

function run(
  program: RegexProgram,
  text: string,
  start: number,
  whole: boolean,
  slots: Int32Array,
  budget: MatchBudget,
): boolean {
  const { code, splits } = program;
  const end = text.length;
  let { steps } = budget;
  let depth = 0;
  let pc = program.start;
  let at = start;
  for (;;) {
    if (--steps < 0) {
      budget.steps = 0;
      throw new MatchTooLong();
    }
    const instruction = code[pc]!;
    let alive = true;
    switch (instruction.kind) {
      case SET: {
        const unit = at < end ? text.charCodeAt(at) : -1;
        const { low, high } = instruction.set!;
        alive = unit >= 0 && (unit < 256 ? low[unit] === 1 : high(unit));
        at++;
        pc = instruction.next;
        break;
      }
      case ASSERT:
        alive = holds(instruction.what!, text, at);
        pc = instruction.next;
        break;
      case SAVE:
        depth = push(depth, -1 - instruction.number, slots[instruction.number]!);
        slots[instruction.number] = at;
        pc = instruction.next;
        break;
      case MATCH:
        if (!whole || at === end) {
          budget.steps = steps;
          return true;
        }
        alive = false;
        break;
      default: {
        const bit = at * splits + instruction.number;
        const mask = 1 << (bit & 31);
        alive = (notes[bit >> 5]! & mask) === 0;
        if (!alive) break;
        notes[bit >> 5]! |= mask;
        depth = push(depth, instruction.other, at);
        pc = instruction.next;
      }
    }
    if (alive) continue;
    // Back to the last choice, undoing what was saved since.
    for (;;) {
      if (depth === 0) {
        budget.steps = steps;
        return false;
      }
      depth -= 2;
      const what = stack[depth]!;
      at = stack[depth + 1]!;
      if (what >= 0) {
        pc = what;
        break;
      }
      slots[-1 - what] = at;
    }
  }
}

function push(depth: number, what: number, value: number): number {
  if (depth + 2 > stack.length) {
    const larger = new Int32Array(stack.length * 2);
    larger.set(stack);
    stack = larger;
  }
  stack[depth] = what;
  stack[depth + 1] = value;
  return depth + 2;
}

function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case "textStart":
      return at === 0;
    case "textEnd":
      return at === text.length;
    case "lineStart":
      return at === 0 || text.charCodeAt(at - 1) === 10;
    case "lineEnd":
      return at === text.length || text.charCodeAt(at) === 10;
    default:
      return (isWord(text, at - 1) !== isWord(text, at)) === (what === "wordBoundary");
  }
}

function isWord(text: string, at: number): boolean {
  return at >= 0 && at < text.length && word.low[text.charCodeAt(at)] === 1;
}
