import assert from "node:assert/strict";
import { HpackDecoder, HpackEncoder, HpackError } from "@fairlead/codec-hpack";
import { type FuzzTarget, hex, outcomeOf, words } from "../fuzz-target.ts";

type Header = readonly [name: string, value: string, neverIndexed: boolean];

function decode(decoder: HpackDecoder, block: Buffer): Header[] {
  const headers: Header[] = [];
  decoder.decode(block, 0, block.length, {
    onHeader: (name, value, neverIndexed) => headers.push([name, value, neverIndexed]),
  });
  return headers;
}

/** A byte of table size in 32s, then blocks, each behind a byte of its length. */
function readBlocks(bytes: Buffer): { readonly tableBytes: number; readonly blocks: Buffer[] } {
  const blocks: Buffer[] = [];
  for (let at = 1; at < bytes.length;) {
    const length = bytes[at] ?? 0;
    blocks.push(bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { tableBytes: (bytes[0] ?? 0) * 32, blocks };
}

function withLengths(...blocks: readonly string[]): string {
  return blocks.map((block) => (block.length / 2).toString(16).padStart(2, "0") + block).join("");
}

export const hpackTarget: FuzzTarget = {
  name: "hpack",
  sources: ["libs/codec/hpack/src"],
  // RFC 7541 appendix C.
  seeds: () => [
    ...hex(
      `80${withLengths("400a637573746f6d2d6b65790d637573746f6d2d686561646572")}`,
      `80${withLengths("040c2f73616d706c652f70617468", "100870617373776f726406736563726574", "82")}`,
      `80${withLengths("828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865")}`,
      `80${withLengths("828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf")}`,
      `08${withLengths("3fe101828684418cf1e3c2e5f23a6ba0ab90f4ff")}`,
    ),
  ],
  dictionary: [...hex("20", "3fe11f", "3fe21f", "80", "be", "bf", "ff", "7f", "ff80808080", "40", "00", "10", "4003", "84ffffffff"), ...words("a", ":path")],
  run(bytes) {
    const { tableBytes, blocks } = readBlocks(bytes);
    const decoder = new HpackDecoder(tableBytes);
    const encoder = new HpackEncoder();
    const again = new HpackDecoder();
    let outcome = "";
    for (const block of blocks) {
      let headers: Header[];
      try {
        headers = decode(decoder, block);
      } catch (error) {
        assert(error instanceof HpackError, String(error));
        return outcomeOf(error);
      }
      assert(decoder.tableBytes <= tableBytes, "the table is larger than its limit");
      const bytesOfAll = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
      // Each byte of a block can name an entry of the table once.
      assert(bytesOfAll <= block.length * (Math.max(tableBytes, 4096) + 64), "a block grows without bound");
      // What must not be indexed stays so; some names never are.
      for (const [i, [name, value, never]] of decode(again, encode(encoder, headers)).entries())
        assert.deepEqual([name, value, never || headers[i]?.[2]], [headers[i]?.[0], headers[i]?.[1], never]);
      outcome = `${Math.min(4, headers.length)} ${headers.some(([, , never]) => never)}`;
    }
    return outcome;
  },
}; // prettier-ignore

function encode(encoder: HpackEncoder, headers: readonly Header[]): Buffer {
  const out = Buffer.alloc(headers.reduce((sum, [name, value]) => sum + HpackEncoder.mostBytes(name, value), 16));
  encoder.begin(out, 0);
  for (const [name, value, neverIndexed] of headers) encoder.header(name, value, neverIndexed);
  return out.subarray(0, encoder.end());
}
