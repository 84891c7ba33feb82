import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalName, globPrefix } from "./resource-name.ts";

test("rule 71: xdstp names have one spelling; names of the old form are as they are", () => {
  const cases: [string, string][] = [
    ["xdstp://a/t/id?b=2&a=1", "xdstp://a/t/id?a=1&b=2"],
    ["xdstp://a/t/id?", "xdstp://a/t/id"],
    ["xdstp://a/t/id?b=2&&a=1#alt=x", "xdstp://a/t/id?a=1&b=2"],
    ["xdstp://a/t/id#entry=x", "xdstp://a/t/id"],
    ["outbound|http||shop?b&a#x", "outbound|http||shop?b&a#x"],
    ["", ""],
  ];
  for (const [name, expected] of cases) assert.equal(canonicalName(name), expected);
});

test("rule 71: only xdstp names that end with /* are globs", () => {
  assert.equal(globPrefix("xdstp://a/t/folder/*"), "xdstp://a/t/folder/");
  for (const name of ["folder/*", "*", "xdstp://a/t/folder/x*", "xdstp://a/t/id"])
    assert.equal(globPrefix(name), undefined);
});
