import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RE2 } from "re2-wasm";
import { fullMatch, linearRegex } from "./linear-regex.ts";
import { MatchTooLong } from "./regex/bounded-match.ts";

const patterns = [
  "", "a", "abc", "a|b", "a||b", "(a|ab)(c|bcd)(d*)", "a*", "a+?", "(a*)*", "(a*)+", "(?:a?){3}a{3}", "[abc]+", "[^abc]", "[a-c-]x",
  "[]a]", "[^]a]", "[\\]\\-a]", "\\d+\\.\\w\\s", "[\\d_]+", "[\\D]", ".", "a.c", "(?s)a.c", "(?i)aBc", "(?i:a)b", "(?i)[^a]b", "x(?-i:b)",
  "^a$", "a^b", "$", "\\ba\\b", "a\\Bb", "\\Aab\\z", "(?m)^b$", "\\Qa.b\\E+", "\\x61\\x{62}", "\\101", "[[:alpha:]]+[[:^digit:]]",
  "\\pL+", "\\p{Greek}|\\PN", "(?P<n>a)(?P<m>b)", "a{2}", "a{2,}", "a{1,3}b", "a{,3}", "a{", "(?U)a+", "/api/v[0-9]+/.*", "\\/a\\-b", "\\t|\\n",
]; // prettier-ignore

/** RE2 itself, as the reference. */
function reference(pattern: string): (text: string) => boolean {
  const re2 = new RE2(`^(?:${pattern})$`, "u");
  return (text) => re2.test(text);
}

test("a pattern matches what RE2 matches", () => {
  const text = fc.string({ unit: fc.constantFrom(...Array.from("abcdABC019 ._-/]{,}\n\téλ")), maxLength: 8 });
  for (const pattern of patterns) {
    // The reference has no \Q, no octal escapes, no (?U) and rewrites \/.
    if (/\\Q|\\1|\(\?U|\\\/|\(\?s\)/.test(pattern)) continue;
    const expected = reference(pattern);
    const matches = fullMatch(pattern, false, "here");
    fc.assert(
      fc.property(text, (sample) => assert.equal(matches(sample), expected(sample), pattern)),
      { numRuns: 300, examples: [["a"], ["ab"], ["abcd"], ["aaa"], ["a\nb"], [""]] },
    );
  }
});

test("what the reference cannot say, by hand", () => {
  const cases: readonly (readonly [string, yes: readonly string[], no: readonly string[]])[] = [
    ["\\Qa.b\\E+", ["a.b", "a.bb"], ["axb", "a.ba.b"]],
    ["(?s)a.c", ["a\nc"], ["ac"]],
    ["a.c", ["abc"], ["a\nc"]],
    ["\\/a\\-b", ["/a-b"], ["a-b"]],
    ["(?i)straße", ["STRAßE"], ["strasse"]],
  ];
  for (const [pattern, yes, no] of cases) {
    const matches = fullMatch(pattern, false, "here");
    for (const text of yes) assert.equal(matches(text), true, `${pattern} ${text}`);
    for (const text of no) assert.equal(matches(text), false, `${pattern} ${text}`);
  }
});

test("groups are those of RE2: the leftmost, and what is tried first", () => {
  for (const [pattern, text] of [
    ["(a|ab)(c|bcd)(d*)", "xabcd"],
    ["(a+)(b+)?", "baab"],
    ["(a*?)(a*)", "aaa"],
    ["((a)|(b))*", "ab"],
    ["/([^/]+)/(.*)", "/x/y/z"],
  ] as const) {
    const groups = linearRegex(pattern, false, "here").exec(text, 0);
    const expected = new RE2(pattern, "u").exec(text);
    assert(groups !== undefined && expected !== null);
    assert.deepEqual(
      expected.map((_, i) => (groups[i * 2] === -1 ? undefined : text.slice(groups[i * 2], groups[i * 2 + 1]))),
      [...expected],
      pattern,
    );
  }
});

test("what RE2 refuses is refused, with the field", () => {
  for (const pattern of [
    "(",
    ")",
    "a)(b",
    "[a",
    "*",
    "a**",
    "a{2}{3}",
    "a{1001}",
    "a{3,2}",
    "[b-a]",
    "\\1",
    "(?=a)",
    "(?<!a)",
    "\\",
    "\\p{Nope}",
    "[[:x:]]",
    "(?z)",
    "\\y",
    "(?P<n",
    "(?:(?:a{100}){100}){100}",
  ]) {
    assert.throws(() => linearRegex(pattern, false, "here"), { code: "FL_ROUTE_INVALID", message: /^here: / }, pattern);
  }
  assert.throws(() => linearRegex(`${"(".repeat(300)}${")".repeat(300)}`, false, "here"), { code: "FL_ROUTE_INVALID" });
  assert.throws(() => linearRegex("a".repeat(5000), false, "here"), { code: "FL_ROUTE_INVALID" });
});

test("no text of 8 kB takes a pattern long; one that would is given up", () => {
  let seed = 1;
  const letter = (): string => "ab"[(seed = (seed * 48_271) % 0x7fff_ffff) % 2] ?? "a";
  const path = `/${Array.from({ length: 8191 }, letter).join("")}`;
  let given = 0;
  let slowestMs = 0;
  for (const pattern of [
    "(a*)*c",
    ".*a.{20}b",
    ".*a.{100}b",
    ".*(a.{30}){10}b",
    "(.*a.*b){20}c",
    "/(a|b|ab)*(a|b|ab)*(a|b|ab)*c",
  ]) {
    const matches = fullMatch(pattern, false, "here");
    for (let i = 0; i < 20; i++) {
      const before = process.cpuUsage();
      try {
        matches(path.slice(0, path.length - i));
      } catch (error) {
        assert(error instanceof MatchTooLong);
        given++;
      }
      const { user, system } = process.cpuUsage(before);
      if (i > 4) slowestMs = Math.max(slowestMs, (user + system) / 1000);
    }
  }
  assert(given > 0);
  assert(slowestMs < 20, `${slowestMs} ms`);
});
