import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameCollector, type RpcFrame } from "@fairlead/codec-rpc";
import * as fc from "fast-check";
import { partsOf } from "./frame-layout.ts";
import { boltProtocol } from "./index.ts";
import { type BoltFrame, encodeFrame } from "./testing/encode-frame.ts";

const protobuf = 11;
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
/** Names as headers have them, so that some come twice. */
const name = fc.oneof(text, fc.constantFrom("service", "sofa_head_method_name", "tag", "__proto__"));
const common = {
  protocol: fc.constantFrom("v1", "v2", "v2 crc"),
  id: u32,
  // Of Hessian the content is read, too: the golden frames have that.
  codec: fc.constantFrom(protobuf, 12, 99),
  className: fc.stringMatching(/^[\w.$]{0,60}$/),
  headers: fc.array(fc.tuple(name, fc.option(text)), { maxLength: 8 }),
  content: fc.uint8Array({ maxLength: 200 }),
} as const;
const request: fc.Arbitrary<BoltFrame> = fc.record({
  ...common,
  kind: fc.constantFrom("request", "one-way"),
  timeoutOrStatus: fc.integer({ min: 0, max: 0x7fffffff }),
});
const response: fc.Arbitrary<BoltFrame> = fc.record({
  ...common,
  kind: fc.constant("response"),
  timeoutOrStatus: fc.integer({ min: 0, max: 0xffff }),
});

/** All frames of bytes that come in pieces. */
function framesOf(bytes: Buffer, cuts: readonly number[]): RpcFrame[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  const frames: RpcFrame[] = [];
  const collector = new FrameCollector(boltProtocol);
  for (const [i, end] of at.slice(1).entries())
    collector.execute(bytes.subarray(at[i], end), (piece) => frames.push(boltProtocol.frameOf(Buffer.from(piece))));
  return frames;
}

function present({ headers }: BoltFrame): (readonly [string, string])[] {
  return headers.flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
}

function firstOf(pairs: readonly (readonly [string, string])[], key: string): string | undefined {
  return pairs.find(([other]) => other === key)?.[1];
}

function checkDecoded(frame: RpcFrame, sent: BoltFrame, headers: readonly (readonly [string, string])[]): void {
  assert.deepEqual([frame.kind, frame.idHigh, frame.idLow], [sent.kind, 0, sent.id]);
  const { classStart, headerStart, contentStart, contentEnd } = partsOf(frame.bytes);
  assert.equal(frame.bytes.toString("latin1", classStart, headerStart), sent.className);
  assert.deepEqual(frame.bytes.subarray(contentStart, contentEnd), Buffer.from(sent.content));
  if (sent.kind === "response") {
    const { status, delivered } = boltProtocol.outcomeOf(frame);
    assert.deepEqual([status, delivered], [sent.timeoutOrStatus, sent.timeoutOrStatus === 0]);
    return;
  }
  const call = boltProtocol.callOf(frame);
  assert.deepEqual(call.attachments(), headers);
  for (const [key] of headers) assert.equal(call.attachment(key), firstOf(headers, key));
  const [service = "", version = "", group = ""] = (firstOf(headers, "service") ?? "").split(":", 3);
  assert.deepEqual([call.service, call.version, call.group], [service, version, group]);
  assert.equal(call.method, firstOf(headers, "sofa_head_method_name") ?? "");
  assert.equal(call.timeoutMs ?? 0, sent.timeoutOrStatus);
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });

test("what is encoded is decoded, in all versions, with and without CRC, at any split", () => {
  const sent = fc.array(fc.oneof(request, response), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sent, cuts, (frames, at) => {
      const decoded = framesOf(Buffer.concat(frames.map(encodeFrame)), at);
      assert.equal(decoded.length, frames.length);
      for (const [i, frame] of frames.entries()) checkDecoded(decoded[i]!, frame, present(frame));
    }),
    { numRuns: 500 },
  );
});

test("what is decoded and encoded again is the same, but for its id and headers", () => {
  const added = fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 4 });
  fc.assert(
    fc.property(fc.oneof(request, response), u32, added, cuts, (sent, id, more, at) => {
      const frame = boltProtocol.frameOf(encodeFrame(sent));
      const same = boltProtocol.withAttachments(frame, []);
      if (sent.headers.every(([, value]) => value !== null)) assert.deepEqual(same, frame.bytes);
      const changed = boltProtocol.withAttachments(frame, more);
      boltProtocol.setId(changed, 0, id);
      const replaced = new Set(more.map(([key]) => key));
      const headers = [...present(sent).filter(([key]) => !replaced.has(key)), ...more];
      const [decoded] = framesOf(changed, at);
      checkDecoded(decoded!, { ...sent, id }, headers);
      assert.deepEqual(changed, encodeFrame({ ...sent, id, headers }));
    }),
    { numRuns: 500 },
  );
});
