import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteChain } from "./byte-chain.ts";
import { withLeakCheck } from "./testing/leak-check.ts";

const text = (bytes: Buffer): string => bytes.toString("latin1");

test("bytes leave in the order in which they came, however they came", () => {
  const chain = new ByteChain();
  chain.append(Buffer.from("copied, "));
  chain.addReference(Buffer.from("referred to, "));
  chain.reserve(8).write("reserved");
  chain.commit(8);
  chain.prepend(Buffer.from("first, "));
  assert.equal(text(chain.peek(10)), "first, cop");
  assert.equal(chain.length, 36);
  chain.drain(7);
  assert.equal(text(chain.take()), "copied, referred to, reserved");
  assert.equal(chain.length, 0);
  assert.equal(chain.pieces, 0);
});

test("short chunks share a piece, so that bytes one by one do not take a hundred times their size", () => {
  const chain = new ByteChain();
  for (let n = 0; n < 10_000; n++) chain.add(Buffer.of(n));
  assert.equal(chain.length, 10_000);
  assert.ok(chain.pieces < 8, `${chain.pieces} pieces`);
});

test("long chunks are not copied", () => {
  const chain = new ByteChain();
  const bytes = Buffer.alloc(4096);
  chain.add(bytes);
  assert.equal(chain.shift(), bytes);
});

test("a short slice does not keep the large chunk that it was cut from", () => {
  const chain = new ByteChain();
  const large = Buffer.allocUnsafeSlow(64 * 1024);
  chain.add(large.subarray(0, 1000));
  assert.notEqual(chain.peek().buffer, large.buffer);
  chain.clear();
  chain.add(large.subarray(0, 32 * 1024));
  assert.equal(chain.peek().buffer, large.buffer);
});

test("what was taken out stays what it was when more comes", () => {
  const chain = new ByteChain();
  chain.append(Buffer.from("abc"));
  const taken = chain.shift(2);
  chain.append(Buffer.from("def"));
  assert.equal(text(taken), "ab");
  assert.equal(text(chain.take()), "cdef");
});

test("a reference is let go with its last byte, once, wherever the parts have gone", () => {
  let released = 0;
  const chain = new ByteChain();
  const other = new ByteChain();
  chain.addReference(Buffer.from("abcdef"), () => released++);
  chain.moveTo(other, 2);
  chain.drain(4);
  assert.equal(released, 0);
  other.drain(1);
  assert.equal(released, 0);
  other.clear();
  assert.equal(released, 1);
  chain.addReference(Buffer.alloc(0), () => released++);
  assert.equal(released, 2);
});

test("more than there is cannot be drained, moved or committed", () => {
  const chain = new ByteChain();
  chain.append(Buffer.from("abc"));
  assert.throws(() => chain.drain(4), RangeError);
  assert.throws(() => chain.moveTo(new ByteChain(), 4), RangeError);
  assert.throws(() => chain.commit(1 << 20), RangeError);
  assert.equal(text(chain.peek()), "abc");
});

const bytes = fc.uint8Array({ maxLength: 1500 });
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom("append", "add", "addReference", "prepend", "reserve"), bytes }),
  fc.record({ kind: fc.constantFrom("drain", "shift", "moveTo", "peek", "splitMove"), count: fc.nat(2000) }),
  fc.record({ kind: fc.constantFrom("take", "clear", "roundTrip", "reserveNothing") }),
);

test("it holds what one array would, and gives everything back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, pooled) => {
      await withLeakCheck((check) => {
        const chain = pooled ? check.chain() : new ByteChain();
        const other = pooled ? check.chain() : new ByteChain();
        let model = Buffer.alloc(0);
        let otherModel = Buffer.alloc(0);
        /** Taken out for good: must not change any more. */
        const kept: { readonly bytes: Buffer; readonly was: Buffer }[] = [];
        const keep = (taken: Buffer): void => {
          assert.deepEqual(taken, model.subarray(0, taken.length));
          kept.push({ bytes: taken, was: Buffer.from(taken) });
          model = model.subarray(taken.length);
        };
        for (const it of steps) {
          const came = Buffer.from("bytes" in it ? it.bytes : []);
          const count = Math.min("count" in it ? it.count : 0, model.length);
          switch (it.kind) {
            case "append":
            case "add":
              chain[it.kind](came);
              model = Buffer.concat([model, came]);
              break;
            case "addReference":
              check.addReference(chain, came);
              model = Buffer.concat([model, came]);
              break;
            case "prepend":
              chain.prepend(came);
              model = Buffer.concat([came, model]);
              break;
            case "reserve":
              came.copy(chain.reserve(came.length));
              chain.commit(came.length);
              model = Buffer.concat([model, came]);
              break;
            case "reserveNothing":
              chain.reserve(100);
              break;
            case "drain":
              chain.drain(count);
              model = model.subarray(count);
              break;
            case "shift": {
              const taken = chain.shift(count);
              assert.ok(taken.length > 0 || count === 0);
              keep(taken);
              break;
            }
            case "peek":
              assert.deepEqual(chain.peek(count), model.subarray(0, count));
              if (count > 0) assert.equal(chain.peek(count).at(count - 1), model[count - 1]);
              break;
            case "moveTo":
            case "splitMove":
              chain.moveTo(other, count);
              otherModel = Buffer.concat([otherModel, model.subarray(0, count)]);
              model = model.subarray(count);
              break;
            case "roundTrip":
              other.moveTo(chain);
              model = Buffer.concat([model, otherModel]);
              otherModel = Buffer.alloc(0);
              break;
            case "take":
              keep(chain.take());
              assert.equal(model.length, 0);
              break;
            default:
              chain.clear();
              model = Buffer.alloc(0);
          }
          assert.equal(chain.length, model.length);
          assert.deepEqual(Buffer.concat(chain.views()), model);
        }
        assert.deepEqual(Buffer.concat(other.views()), otherModel);
        for (const { bytes: now, was } of kept) assert.deepEqual(now, was);
        chain.clear();
        other.clear();
        assert.equal(check.pool.stats.taken, 0);
      });
    }),
    { numRuns: 300 },
  );
});
