import assert from "node:assert/strict";
import { test } from "node:test";
import { head } from "./testing/route-specs.ts";
import { compileVirtualClusters, type VirtualClusterSpec } from "./virtual-cluster.ts";

const byPath = (name: string, regex: string): VirtualClusterSpec => ({
  name,
  headers: [{ name: ":path", match: { kind: "regex", value: regex } }],
});

const long = `/${"ab".repeat(1000)}`;
const last = byPath("last", "/.*");

test("hundreds of patterns of virtual clusters are no way to take the proxy's time with one path: it is counted with the others", () => {
  // Each by itself is cheap enough.
  const slow = Array.from({ length: 200 }, (_pattern, i) => byPath(`slow-${i}`, `/(a|b|ab)*${i}`));
  assert.equal(compileVirtualClusters([...slow.slice(0, 5), last], "shop", "")?.(head("shop", long)).name, "last");
  const find = compileVirtualClusters([...slow, last], "shop", "");
  assert.equal(find?.(head("shop", long)).prefix, "vhost.shop.vcluster.other.");
  assert.equal(find?.(head("shop", "/abab199")).name, "slow-199");
});

test("a path that is too long for one pattern is not refused for it", () => {
  const find = compileVirtualClusters([byPath("slow", "/(a|b|ab)*(a|b|ab)*1"), last], "shop", "");
  const { name, prefix } = find?.(head("shop", long.repeat(40))) ?? {};
  assert.deepEqual([name, prefix], [undefined, "vhost.shop.vcluster.other."]);
});
