import assert from "node:assert/strict";
import { canonicalPath } from "@fairlead/proxy-router";
import { type FuzzTarget, words } from "../fuzz-target.ts";

/** The first byte says which rules; the rest is a path as a codec lets it through. */
export const pathTarget: FuzzTarget = {
  name: "path",
  sources: ["libs/proxy/router/src/canonical-path.ts"],
  seeds: () => words("\0/a/b", "\u0001/a//b/../c/./d?x=/../y", "\u0002/%41%2f%2e%2E/%zz", "\u0003/..%5c\\..;a=b/%00", "\0*"),
  dictionary: words("/", "//", "/../", "/./", "..", "%2e", "%2E", "%2f", "%5C", "%25", "%00", "\\", ";", "?", "#", "*", "%"),
  run(bytes) {
    const flags = bytes[0] ?? 0;
    const path = bytes.toString("latin1", 1);
    if (!path.startsWith("/")) return "";
    const options = { mergeSlashes: (flags & 1) !== 0, escapedSlashes: (flags & 2) === 0 ? "keep" : "reject" } as const;
    const once = canonicalPath(path, options);
    if (once === undefined) return "refused";
    // What a policy saw must be what a host sees, however often it is looked at.
    assert.equal(canonicalPath(once, options), once);
    const raw = once.split("?", 1)[0] ?? "";
    assert(raw.startsWith("/"));
    assert(!raw.includes("\\") && !raw.includes("%00"));
    assert(!raw.split("/").some((segment) => /^(\.|%2e){1,2}$/i.test(segment)), "dot segments");
    if (options.mergeSlashes) assert(!raw.includes("//"), "slashes");
    if (options.escapedSlashes === "reject") assert(!/%2f|%5c/i.test(raw), "escaped slashes");
    return once === path ? "same" : "changed";
  },
}; // prettier-ignore
