import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SharedVersions } from "./shared-versions.ts";

test("equal content is one object, however it came about", () => {
  const change = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.option(fc.constantFrom("1", "2")));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
      const plain = new Map<string, string>();
      let shared = SharedVersions.empty;
      for (const one of changes) {
        for (const [name, version] of Object.entries(one)) {
          if (version === null) plain.delete(name);
          else plain.set(name, version);
        }
        shared = shared.with(new Map(Object.entries(one).map(([name, version]) => [name, version ?? undefined])));
      }
      assert.deepEqual(new Map(shared.entries()), plain);
      const direct = SharedVersions.empty.with(plain);
      assert.equal(shared, direct);
      assert.equal(shared.text, direct.text);
    }),
  );
});

test("the text is that of the content, in every process", () => {
  const one = SharedVersions.empty.with(new Map([["a", "1"]]));
  assert.equal(SharedVersions.empty.text, "0000000000000000");
  assert.equal(one.text, "05a9c569a185ac60");
  assert.notEqual(one.text, SharedVersions.empty.with(new Map([["a", "2"]])).text);
});
