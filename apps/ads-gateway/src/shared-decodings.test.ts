import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedDecodings } from "./shared-decodings.ts";

function start(options: { maxEntries?: number; maxBytes?: number } = {}) {
  const clock = { now: 0 };
  const made: string[] = [];
  const shared = new SharedDecodings<{ text: string }>({
    maxEntries: 2,
    maxBytes: 100,
    maxAgeMs: 1000,
    now: () => clock.now,
    ...options,
  });
  const of = (text: string) =>
    shared.of(Buffer.from(text), (bytes) => {
      made.push(text);
      return { text: Buffer.from(bytes).toString() };
    });
  return { shared, of, clock, made };
}

test("equal bytes give the same object, decoded once; others another one", () => {
  const { of, made } = start();
  assert.equal(of("a"), of("a"));
  assert.notEqual(of("b"), of("a"));
  assert.deepEqual(made, ["a", "b"]);
});

test("the one used longest ago goes when there are too many, or too many bytes", () => {
  const few = start();
  for (const text of ["a", "b", "a", "c", "a", "b"]) few.of(text);
  assert.deepEqual(few.made, ["a", "b", "c", "b"]);
  const small = start({ maxBytes: 5 });
  for (const text of ["aaa", "bbb", "larger than all", "bbb"]) small.of(text);
  assert.deepEqual(small.made, ["aaa", "bbb", "larger than all"]);
});

test("what nobody sent for a while is forgotten with the next new one", () => {
  const { shared, of, clock } = start();
  of("a");
  clock.now = 1000;
  of("b");
  assert.equal(shared.size, 1);
});

test("what cannot be decoded is not kept", () => {
  const { shared } = start();
  const fails = () => shared.of(Buffer.from("x"), () => assert.fail("no message"));
  assert.throws(fails);
  assert.equal(shared.size, 0);
});
