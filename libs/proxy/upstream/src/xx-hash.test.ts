import assert from "node:assert/strict";
import { test } from "node:test";
import { xxHash64 } from "./xx-hash.ts";

test("hashes are those of the reference implementation", () => {
  // xxhsum -H1, and Envoy's own test/common/common/hash_test.cc.
  assert.equal(xxHash64(""), 0xef46db3751d8e999n);
  assert.equal(xxHash64("foo"), 3728699739546630719n);
  assert.equal(xxHash64("bar"), 5234164152756840025n);
  assert.equal(xxHash64("foo\nbar"), 8917841378505826757n);
  assert.equal(xxHash64("lyft"), 4400747396090729504n);
  assert.equal(xxHash64("a"), 0xd24ec4f1a98c6e5bn);
  assert.equal(xxHash64("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1n);
});
