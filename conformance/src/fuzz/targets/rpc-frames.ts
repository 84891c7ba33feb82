import assert from "node:assert/strict";
import { FrameCollector, type RpcFrame, type RpcProtocol } from "@fairlead/codec-rpc";
import { FairleadError } from "@fairlead/errors";
import { outcomeOf, pieces } from "../fuzz-target.ts";

function collect(
  protocol: RpcProtocol,
  parts: readonly Buffer[],
): { readonly frames: string[]; readonly error: string } {
  const frames: string[] = [];
  const collector = new FrameCollector(protocol);
  try {
    for (const part of parts) collector.execute(part, (frame) => frames.push(frame.toString("hex")));
    assert(collector.heldBytes <= 8 * 1024 * 1024);
  } catch (error) {
    assert(error instanceof FairleadError, error instanceof Error ? (error.stack ?? "") : String(error));
    return { frames, error: error.message };
  }
  return { frames, error: "" };
}

/** Does `work`; errors of the codec are an outcome, others are not. */
function attempt(work: () => string): string {
  try {
    return work();
  } catch (error) {
    assert(error instanceof FairleadError, error instanceof Error ? (error.stack ?? "") : String(error));
    return outcomeOf(error);
  }
}

/** All that a proxy does with frames of a protocol. @returns what came of it */
export function readFrames(protocol: RpcProtocol, bytes: Buffer): string {
  protocol.matches(bytes);
  const whole = collect(protocol, [bytes]);
  const split = collect(protocol, pieces(bytes));
  assert.deepEqual(split, whole);
  const outcomes = whole.frames.slice(0, 4).map((hex) => attempt(() => readFrame(protocol, Buffer.from(hex, "hex"))));
  return `${outcomes.join()} ${outcomeOf(new Error(whole.error))}`;
}

function readFrame(protocol: RpcProtocol, bytes: Buffer): string {
  const frame = protocol.frameOf(bytes);
  checkId(protocol, frame);
  switch (frame.kind) {
    case "request":
    case "one-way":
      checkReply(protocol, protocol.failureOf(frame, "timeout", "too late"), frame);
      return `${frame.kind} ${readCall(protocol, frame)}`;
    case "response": {
      const { delivered, threw, httpStatus } = protocol.outcomeOf(frame);
      return `${frame.kind} ${delivered} ${threw} ${httpStatus}`;
    }
    case "heartbeat": {
      const reply = protocol.frameOf(protocol.heartbeatReply(frame));
      assert.deepEqual([reply.kind, reply.idHigh, reply.idLow], ["heartbeat-reply", frame.idHigh, frame.idLow]);
      return frame.kind;
    }
    default:
      return frame.kind;
  }
}

/** An id that is changed and changed back leaves the frame as it was. */
function checkId(protocol: RpcProtocol, frame: RpcFrame): void {
  const copy = Buffer.from(frame.bytes);
  protocol.setId(copy, 0, 0x7ffffff1);
  assert.equal(protocol.frameOf(copy).idLow, 0x7ffffff1);
  protocol.setId(copy, frame.idHigh, frame.idLow);
  assert.equal(copy.toString("hex"), frame.bytes.toString("hex"));
}

function checkReply(protocol: RpcProtocol, reply: Buffer, request: RpcFrame): void {
  assert.equal(protocol.lengthOf(reply, 0, reply.length), reply.length);
  const { kind, idHigh, idLow } = protocol.frameOf(reply);
  assert.deepEqual([kind, idHigh, idLow], ["response", request.idHigh, request.idLow]);
  assert.equal(protocol.outcomeOf(protocol.frameOf(reply)).delivered, false);
}

function readCall(protocol: RpcProtocol, frame: RpcFrame): string {
  const call = protocol.callOf(frame);
  const all = call.attachments();
  for (const [name] of all.slice(0, 20)) assert.notEqual(call.attachment(name), undefined);
  const added = attempt(() => {
    const longer = protocol.withAttachments(frame, [["fz", "added"]]);
    assert.equal(protocol.lengthOf(longer, 0, longer.length), longer.length);
    const again = protocol.callOf(protocol.frameOf(longer));
    // Behind a list or an object, fastjson2's attachments are passed on and not read.
    if (call.serialization !== "fastjson2" || again.attachment("fz") !== undefined)
      assert.equal(again.attachment("fz"), "added");
    assert.deepEqual([again.service, again.method, again.version], [call.service, call.method, call.version]);
    return "added";
  });
  return `${call.readable} ${call.serialization} ${Math.min(3, all.length)} ${added}`;
}
