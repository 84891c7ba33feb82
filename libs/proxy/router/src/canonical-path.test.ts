import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonicalPath } from "./canonical-path.ts";

const keep = { mergeSlashes: false, escapedSlashes: "keep" } as const;

const cases: readonly (readonly [from: string, to: string | undefined])[] = [
  ["/", "/"],
  ["*", "*"],
  ["/a/b.html?x=../%2e", "/a/b.html?x=../%2e"],
  ["/a/./b", "/a/b"],
  ["/a/../b", "/b"],
  ["/a/..", "/"],
  ["/a/.", "/a/"],
  ["/a/b/..?q", "/a/?q"],
  ["/%2e%2E/a", undefined],
  ["/..", undefined],
  ["/a/../../b", undefined],
  ["/%61%7e%2d", "/a~-"],
  ["/a%2fb", "/a%2Fb"],
  ["/a\\..\\b", "/b"],
  ["/a%5cb", "/a%5Cb"],
  ["/a%00", undefined],
  ["/a%", undefined],
  ["/a%4", undefined],
  ["/a%4g", undefined],
  ["/.well-known/x", "/.well-known/x"],
  ["/a..b/...", "/a..b/..."],
  ["/a//b", "/a//b"],
  ["//a", "//a"],
];

test("a path has one spelling, or is refused", () => {
  for (const [from, to] of cases) assert.equal(canonicalPath(from, keep), to, from);
  assert.equal(canonicalPath("//a///b//", { ...keep, mergeSlashes: true }), "/a/b/");
  assert.equal(canonicalPath("//a", { ...keep, mergeSlashes: true }), "/a");
  assert.equal(canonicalPath("//?x", { ...keep, mergeSlashes: true }), "/?x");
  assert.equal(canonicalPath("/a%2Fb", { ...keep, escapedSlashes: "reject" }), undefined);
  assert.equal(canonicalPath("/a%5cb", { ...keep, escapedSlashes: "reject" }), undefined);
});

test("the canonical spelling is its own, and has no dot segments", () => {
  const part = fc.constantFrom("a", ".", "..", "%2e", "%2E%2e", "%61", "", "\\", "%2f", "b.c", "%C3%A9");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), fc.boolean(), (parts, mergeSlashes) => {
      const options = { ...keep, mergeSlashes };
      const once = canonicalPath(`/${parts.join("/")}`, options);
      if (once === undefined) return;
      assert.equal(canonicalPath(once, options), once);
      assert.match(once, /^\//);
      assert(!once.split("/").some((segment) => segment === "." || segment === ".."), once);
    }),
  );
});
