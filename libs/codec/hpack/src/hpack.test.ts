import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { HpackError } from "./hpack-error.ts";
import { codeLengths, codes } from "./huffman-code.ts";
import { decodeHuffman } from "./huffman-decoder.ts";
import { encodeHuffman, huffmanLength } from "./huffman-encoder.ts";
import { writeInteger } from "./integer.ts";

type Header = readonly [name: string, value: string, neverIndexed: boolean];

function encode(encoder: HpackEncoder, headers: readonly Header[]): Buffer {
  const room = headers.reduce((sum, [name, value]) => sum + HpackEncoder.mostBytes(name, value), 16);
  const out = Buffer.alloc(room);
  encoder.begin(out, 0);
  for (const [name, value, never] of headers) encoder.header(name, value, never);
  return out.subarray(0, encoder.end());
}

function decode(decoder: HpackDecoder, block: Buffer): Header[] {
  const headers: Header[] = [];
  decoder.decode(block, 0, block.length, { onHeader: (...header) => headers.push(header) });
  return headers;
}

const anyText = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const names = fc.constantFrom(
  ":path",
  "accept",
  "x-request-id",
  "cookie",
  "authorization",
  "x-a",
  "x-b",
  "grpc-timeout",
);
const values = fc.oneof(fc.constantFrom("", "1", "2", "application/grpc", "a".repeat(400)), anyText(40));
const header: fc.Arbitrary<Header> = fc.tuple(fc.oneof(names, anyText(12)), values, fc.boolean());
const step = fc.oneof(
  { weight: 5, arbitrary: fc.array(header, { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 31, 64, 300, 4096, 65_536) },
);

test("what is encoded is what is decoded, over any changes of the table's size, which keeps to its limit", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      let limit = 4096;
      for (const it of steps) {
        if (typeof it === "number") {
          limit = it;
          decoder.setMaxTableBytes(it);
          encoder.setPeerLimit(it);
          continue;
        }
        const expected = it.map(([name, value, never]): Header => [name, value, never || name === "authorization"]);
        assert.deepEqual(decode(decoder, encode(encoder, it)), expected);
        assert(decoder.tableBytes <= Math.min(limit, 4096));
        assert.equal(encoder.tableBytes, decoder.tableBytes);
      }
    }),
    { numRuns: 500 },
  );
});

test("a header that comes again is one byte from the third time on, and a new value each time takes no place", () => {
  const encoder = new HpackEncoder();
  const same: Header = ["x-tenant", "blue", false];
  assert(encode(encoder, [same]).length > 5);
  assert(encode(encoder, [same]).length > 5);
  assert.equal(encode(encoder, [same]).length, 1);
  const before = encoder.tableBytes;
  for (let i = 0; i < 1000; i++) encode(encoder, [["x-request-id", `id-${i}`, false]]);
  assert.equal(encoder.tableBytes, before);
});

test("a peer that changes the size of a full table over and over does not make us move its entries each time", () => {
  const size = 512 * 1024;
  const decoder = new HpackDecoder(size);
  const update = (bytes: number): Buffer => {
    const out = Buffer.alloc(8);
    return out.subarray(0, writeInteger(bytes, 5, 0x20, out, 0));
  };
  // Without name and value, an entry is the smallest that there is.
  const smallest = Buffer.of(0x40, 0, 0);
  decode(decoder, Buffer.concat([update(size), ...Array.from({ length: size / 32 }, () => smallest)]));
  const pair = Buffer.concat([update(size - 32), update(size)]);
  const block = Buffer.concat(Array.from({ length: 8000 }, () => pair));
  const startMs = performance.now();
  assert.deepEqual(decode(decoder, block), []);
  // Some milliseconds; with all entries moved at each change it is some ten seconds.
  assert(performance.now() - startMs < 2000);
  assert.equal(decoder.tableBytes, size - 32);
});

test("Huffman: every byte by itself and any string", () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = String.fromCharCode(byte);
    const out = Buffer.alloc(8);
    const end = encodeHuffman(text, out, 0);
    assert.equal(end, Math.ceil((codeLengths[byte] ?? 0) / 8));
    assert.equal(decodeHuffman(out, 0, end), text);
  }
  fc.assert(
    fc.property(anyText(300), (text) => {
      const out = Buffer.alloc(text.length * 4 + 4);
      const end = encodeHuffman(text, out, 0);
      assert.equal(end, huffmanLength(text));
      assert.equal(decodeHuffman(out, 0, end), text);
    }),
  );
  assert.equal(codes[256], 0x3fffffff);
});

const malformed: readonly (readonly [name: string, hex: string])[] = [
  ["index 0", "80"],
  ["an index beyond the table", "be"],
  ["a name index beyond the table", "7f00016100"],
  ["a string longer than its block", "4005616263"],
  ["a block that ends before the value", "400161"],
  ["an integer without an end", "ffffff"],
  ["an integer that is too large", "ffffffffffffff7f"],
  ["an integer with endless zeros", `ff${"80".repeat(20)}`],
  ["a size update above the limit", "3fe21f"],
  ["a size update after a header", "8220"],
  ["Huffman padding of zeros", "40018100820000"],
  ["Huffman padding of eight bits", "4082ff1fff0000"],
  ["EOS in a Huffman string", "4084ffffffff00"],
];

for (const [name, hex] of malformed) {
  test(`refused: ${name}`, () => {
    assert.throws(() => decode(new HpackDecoder(), Buffer.from(hex, "hex")), HpackError);
  });
}

test("a limit that was lowered must be answered by a size update", () => {
  const decoder = new HpackDecoder();
  decoder.setMaxTableBytes(100);
  assert.throws(() => decode(decoder, Buffer.from("82", "hex")), HpackError);
});

test("bytes of any kind end in headers or an HpackError, and the table keeps its limit", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 10 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) {
        try {
          decode(decoder, Buffer.from(block));
        } catch (error) {
          assert(error instanceof HpackError, String(error));
          return;
        }
        assert(decoder.tableBytes <= 4096);
      }
    }),
    { numRuns: 2000 },
  );
});
