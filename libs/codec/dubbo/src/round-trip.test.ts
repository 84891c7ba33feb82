import assert from "node:assert/strict";
import { test } from "node:test";
import { hessian2String } from "@fairlead/codec-hessian";
import { FrameCollector, type RpcFrame } from "@fairlead/codec-rpc";
import * as fc from "fast-check";
import { fastjson2String, withMore } from "./fastjson2-body.ts";
import { frameWith, HEAD_BYTES, OK, REQUEST, TWO_WAY } from "./frame-layout.ts";
import { type DubboRequest, dubboProtocol, dubboRequest, readDubboReply } from "./index.ts";
import { FASTJSON2, HESSIAN2 } from "./serialization.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.stringMatching(/^[a-z.]{1,4}$/).map((word) => word.repeat(400)),
);
const className = fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,8}){0,3}\.[A-Z][\w$]{0,20}$/);
const method = fc.stringMatching(/^[a-z]\w{0,20}$/);
const pairs = fc.array(fc.tuple(fc.oneof(text, fc.constantFrom("group", "dubbo.tag", "__proto__")), text), {
  maxLength: 6,
});
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const call: fc.Arbitrary<DubboRequest> = fc.record({
  id: u32,
  path: className,
  version: fc.constantFrom("", "0.0.0", "1.0.0", "2.x"),
  method,
  args: fc.array(text, { maxLength: 6 }),
  attachments: pairs.map((all) => Object.fromEntries(all)),
});
const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** A call in fastjson2, which the mesh itself does not make: each value with its length before it. */
function fastjson2Request({ id, path, version, method: name, args, attachments }: DubboRequest): Buffer {
  const descriptor = "Ljava/lang/String;".repeat(args.length);
  const values = ["2.0.2", path, version, name, descriptor, ...args].map(fastjson2String);
  const body = Buffer.concat([...values, withMore(Buffer.alloc(0), Object.entries(attachments))]);
  const frame = frameWith(REQUEST | TWO_WAY | FASTJSON2, 0, body.length);
  frame.writeUInt32BE(id, 8);
  body.copy(frame, HEAD_BYTES);
  return frame;
}

const encoders = { hessian2: dubboRequest, fastjson2: fastjson2Request };

/** All frames of bytes that come in pieces. */
function framesOf(bytes: Buffer, at: readonly number[]): RpcFrame[] {
  const ends = [0, ...at.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  const frames: RpcFrame[] = [];
  const collector = new FrameCollector(dubboProtocol);
  for (const [i, end] of ends.slice(1).entries())
    collector.execute(bytes.subarray(ends[i], end), (piece) => frames.push(dubboProtocol.frameOf(Buffer.from(piece))));
  return frames;
}

function checkCall(frame: RpcFrame, sent: DubboRequest, attachments: readonly (readonly [string, string])[]): void {
  assert.deepEqual([frame.kind, frame.idHigh, frame.idLow], ["request", 0, sent.id]);
  const decoded = dubboProtocol.callOf(frame);
  const { service, version, readable } = decoded;
  assert.deepEqual(
    { service, version, method: decoded.method, readable },
    { service: sent.path, version: sent.version === "0.0.0" ? "" : sent.version, method: sent.method, readable: true },
  );
  assert.deepEqual(decoded.attachments(), attachments);
  for (const [key, value] of new Map(attachments)) assert.equal(decoded.attachment(key), value);
}

for (const [serialization, encode] of Object.entries(encoders)) {
  test(`${serialization}: calls that are encoded are decoded, at any split`, () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 5 }), cuts, (calls, at) => {
        const frames = framesOf(Buffer.concat(calls.map(encode)), at);
        assert.equal(frames.length, calls.length);
        for (const [i, sent] of calls.entries()) checkCall(frames[i]!, sent, Object.entries(sent.attachments));
      }),
      { numRuns: 500 },
    );
  });

  test(`${serialization}: with another id and more attachments, the rest of a call is the same`, () => {
    fc.assert(
      fc.property(call, u32, pairs, cuts, (sent, id, more, at) => {
        const changed = dubboProtocol.withAttachments(dubboProtocol.frameOf(encode(sent)), more);
        dubboProtocol.setId(changed, 0, id);
        const [frame] = framesOf(changed, at);
        checkCall(frame!, { ...sent, id }, [...Object.entries(sent.attachments), ...more]);
        // Nothing of the arguments is lost or added.
        const bare = encode({ ...sent, id, attachments: {} });
        const tail = serialization === "hessian2" ? 2 : 6;
        assert.deepEqual(changed.subarray(HEAD_BYTES, bare.length - tail), bare.subarray(HEAD_BYTES, -tail));
      }),
      { numRuns: 500 },
    );
  });
}

test("what a provider answers is what the mesh's own call gets, at any split; an exception is an error", () => {
  const small = (value: number): Buffer => Buffer.of(0x90 + value);
  // 1 and 4: a value, without and with attachments; 2 and 5: null; 0 and 3: an exception.
  const kind = fc.constantFrom(0, 1, 2, 3, 4, 5);
  fc.assert(
    fc.property(u32, kind, text, cuts, (id, of, value, at) => {
      const hasValue = of !== 2 && of !== 5;
      const body = Buffer.concat([small(of), ...(hasValue ? [hessian2String(value)] : [])]);
      const response = frameWith(HESSIAN2, OK, body.length);
      response.writeUInt32BE(id, 8);
      body.copy(response, HEAD_BYTES);
      const [frame] = framesOf(response, at);
      const threw = of === 0 || of === 3;
      const { kind: frameKind, idLow } = frame!;
      assert.deepEqual([frameKind, idLow], ["response", id]);
      const outcome = dubboProtocol.outcomeOf(frame!);
      assert.deepEqual([outcome.status, outcome.delivered, outcome.threw], [OK, true, threw]);
      if (threw) assert.throws(() => readDubboReply(frame!.bytes, id), { code: "FL_RPC_MALFORMED" });
      else assert.deepEqual(readDubboReply(frame!.bytes, id), { value: hasValue ? value : null });
      assert.equal(readDubboReply(frame!.bytes, id ^ 1), undefined);
    }),
    { numRuns: 500 },
  );
});
