import assert from "node:assert/strict";
import { FairleadError } from "@fairlead/errors";
import { compileRegexRewrite, MatchTooLong } from "@fairlead/proxy-router";
import { type FuzzTarget, outcomeOf, words } from "../fuzz-target.ts";

/** A pattern, a NUL, a text. Substituted by itself, each match leaves the text as it was. */
export const regexTarget: FuzzTarget = {
  name: "regex",
  sources: ["libs/proxy/router/src/regex", "libs/proxy/router/src/linear-regex.ts"],
  seeds: () =>
    words(
      "a*b\0aaab", "(a|ab)(c|bcd)(d*)\0abcd", "^/api/v[0-9]+/(.*)$\0/api/v1/x", "(?i:a)[^b-d]\\d{2,3}?\0Ax12", "(a*)*c\0aaaaaaaaaa",
      "(?P<n>\\w+)\\.\\Qa.b\\E\0x.a.b", "[[:alpha:]]+[[:^digit:]]\\pL\0abc", "(?s-m:.+)\\b$|\\A\\x{62}\\z\0b", "(.*a.*b){20}c\0abababababababab",
    ),
  dictionary: words("(", ")", "(?:", "(?i)", "(?P<n>", "[", "]", "[^", "[[:alpha:]]", "{1,3}", "{1000}", "{2,}", "*", "+?", "??", "|", "\\d", "\\pL", "\\p{Greek}", "\\Q", "\\E", "\\b", "\\x{10ffff}", "\\1", ".", "^", "$", "\0"),
  run(bytes) {
    const text = bytes.toString("latin1");
    const end = text.indexOf("\0");
    const pattern = end === -1 ? text : text.slice(0, end);
    const subject = end === -1 ? text : text.slice(end + 1);
    try {
      assert.equal(compileRegexRewrite(pattern, "\\0", "here")(subject), subject);
      return "matched";
    } catch (error) {
      assert(error instanceof FairleadError || error instanceof MatchTooLong, error instanceof Error ? (error.stack ?? "") : String(error));
      return outcomeOf(error);
    }
  },
}; // prettier-ignore
