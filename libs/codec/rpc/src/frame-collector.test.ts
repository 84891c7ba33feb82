import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FrameCollector, type FrameLayout } from "./frame-collector.ts";

/** `s` length, or `l` and three unused bytes and length: frames whose heads differ in size, as bolt's. */
const layout: FrameLayout = {
  name: "test",
  headBytes: 5,
  lengthOf(bytes, at, available) {
    const head = bytes[at] === 0x6c ? 5 : 2;
    return available < head ? 0 : head + bytes[at + head - 1]!;
  },
};

const frame = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 255 })).map(([long, body]) => {
  const head = long ? Buffer.from([0x6c, 0, 0, 0, body.length]) : Buffer.from([0x73, body.length]);
  return Buffer.concat([head, body]);
});

function collect(pieces: readonly Buffer[]): string[] {
  const collector = new FrameCollector(layout);
  const frames: string[] = [];
  for (const piece of pieces) collector.execute(piece, (bytes) => frames.push(bytes.toString("hex")));
  assert.equal(collector.heldBytes, 0);
  return frames;
}

test("any split of the bytes gives the same frames", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames);
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
      const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      const expected = frames.map((each) => each.toString("hex"));
      assert.deepEqual(collect(pieces), expected);
      assert.deepEqual(collect([...bytes].map((byte) => Buffer.of(byte))), expected);
    }),
  );
});

test("a frame in one piece is not copied", () => {
  const piece = Buffer.from("73026161730162", "hex");
  const frames: Buffer[] = [];
  new FrameCollector(layout).execute(piece, (bytes) => frames.push(bytes));
  assert.deepEqual(
    frames.map((bytes) => bytes.buffer === piece.buffer),
    [true, true],
  );
});

test("a head that promises much reserves no more than what has come in asks for", () => {
  const huge: FrameLayout = {
    name: "huge",
    headBytes: 4,
    lengthOf: (_, _at, available) => (available < 4 ? 0 : 100 * 2 ** 20),
  };
  const collector = new FrameCollector(huge, { maxFrameBytes: 2 ** 30 });
  const before = process.memoryUsage().arrayBuffers;
  collector.execute(Buffer.alloc(64), () => assert.fail("no frame is complete"));
  assert.equal(collector.heldBytes, 64);
  assert(process.memoryUsage().arrayBuffers - before < 2 ** 20);
});

test("a frame beyond the limit is refused as soon as its head is there", () => {
  const collector = new FrameCollector(layout, { maxFrameBytes: 100 });
  assert.throws(() => collector.execute(Buffer.of(0x73, 99), () => undefined), {
    code: "FL_RPC_TOO_LARGE",
    message: /a frame of 101 bytes; the limit is 100/,
  });
});
