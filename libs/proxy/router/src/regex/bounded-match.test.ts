import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { endSearch, match, matchBudget, MatchTooLong, startSearch } from "./bounded-match.ts";
import { parsePattern } from "./parse-pattern.ts";
import { compileProgram, type RegexProgram } from "./regex-program.ts";

/** A number of steps, and not of milliseconds: the same on every machine. One step is some 10 ns. */
const MAX_STEPS = 150_000;

function programOf(pattern: string): RegexProgram {
  const { node, groups } = parsePattern(pattern, false);
  return compileProgram(node, groups);
}

/** Steps that a match took, and whether it was given up. */
function stepsOf(
  program: RegexProgram,
  text: string,
  whole: boolean,
): { readonly steps: number; readonly given: boolean } {
  const budget = matchBudget();
  assert.equal(budget.steps, MAX_STEPS);
  let given = false;
  try {
    match(program, text, 0, whole, budget);
  } catch (error) {
    assert(error instanceof MatchTooLong);
    given = true;
  }
  return { steps: MAX_STEPS - budget.steps, given };
}

const path = `/${"ab".repeat(4096)}`;

test("patterns of many states on a path of 8 kB take no more steps than the bound, or are given up there", () => {
  let given = 0;
  for (const pattern of [
    "(a*)*c",
    "(a|b|ab)*(a|b|ab)*(a|b|ab)*c",
    ".*a.{100}b",
    ".*(a.{30}){10}b",
    "(.*a.*b){20}c",
    "(?:a?){500}a{500}",
    "((((((((((a|b)*)*)*)*)*)*)*)*)*)*c",
    `(?:${"(a)|".repeat(200)}b)*c`,
    "[a-z/]*[a-z/]*[a-z/]*[a-z/]*[a-z/]*x",
  ]) {
    for (const whole of [true, false]) {
      const result = stepsOf(programOf(pattern), path, whole);
      assert(result.steps <= MAX_STEPS, `${pattern}: ${result.steps}`);
      if (result.given) given++;
    }
  }
  assert(given > 4, "the patterns are no longer hard");
});

test("steps are at most the length of the text times the size of the program, whatever both are", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "(a)", "(a|b)", "a?", "b*", "(a*)", "(ab|a)", "^", "$");
  const repeated = fc.tuple(
    fc.array(atom, { minLength: 1, maxLength: 5 }),
    fc.constantFrom("", "*", "+", "?", "{2,4}"),
  );
  const pattern = fc
    .array(repeated, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.map(([atoms, suffix]) => `(?:${atoms.join("")})${suffix}`).join(""));
  fc.assert(
    fc.property(pattern, fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 60 }), (source, text) => {
      const program = programOf(source);
      // Each choice is made once at each position, and what follows a choice is no longer than the program.
      const most = (text.length + 1) * (program.splits + 2) * program.code.length + program.slots * (text.length + 2);
      assert(stepsOf(program, text, true).steps <= most);
    }),
    { numRuns: 500 },
  );
});

test("several matches on one text share a budget", () => {
  const program = programOf("(a|b|ab)*c");
  const budget = matchBudget();
  let matches = 0;
  assert.throws(() => {
    for (; matches < 100_000; matches++) match(program, "ab".repeat(500), 0, false, budget);
  }, MatchTooLong);
  assert.equal(budget.steps, 0);
  assert(matches < 200);
});

test("what a person writes on a real path takes some hundred steps", () => {
  for (const pattern of ["/api/v[0-9]+/users/[^/]+", "/static/.*\\.(css|js|png)", "/(en|de|fr)(/.*)?"]) {
    assert(stepsOf(programOf(pattern), "/api/v2/users/4711", true).steps < 1000);
  }
});

test("all matches of a search share a bound; it ends with the search", () => {
  const program = programOf("(a|b|ab)*(a|b|ab)*c");
  const text = "ab".repeat(1000);
  const one = stepsOf(program, text, true);
  assert(!one.given && one.steps > 10_000, "a match that is allowed by itself");
  startSearch();
  let matches = 0;
  assert.throws(() => {
    for (; matches < 1000; matches++) match(program, text, 0, true);
  }, MatchTooLong);
  endSearch();
  assert(matches * one.steps < 5 * MAX_STEPS, `${matches} matches of ${one.steps} steps`);
  assert.equal(match(program, text, 0, true), undefined);
});
