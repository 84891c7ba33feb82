import {
  rpcError,
  type RpcCall,
  type RpcFailure,
  type RpcFrame,
  type RpcFrameKind,
  type RpcOutcome,
  type RpcProtocol,
} from "@fairlead/codec-rpc";
import { BoltCall } from "./bolt-call.ts";
import { checkCrc, writeCrc } from "./checksum.ts";
import {
  ANSWER,
  CALL,
  commandOf,
  GO_AWAY,
  hasCrc,
  HEARTBEAT,
  idAt,
  lengthOf,
  lengthsAt,
  ONE_WAY,
  partsOf,
  RESPONSE,
  timeoutAt,
  typeOf,
} from "./frame-layout.ts";
import { type BoltHeader, readHeaders, writeHeaders } from "./header-block.ts";
import { failure, heartbeat, heartbeatReply, status } from "./reply.ts";

/** A header's length has 16 bits. */
const maxHeaderBytes = 0xffff;

function kindOf(bytes: Buffer): RpcFrameKind {
  const type = typeOf(bytes);
  const command = commandOf(bytes);
  if (command === HEARTBEAT) return type === RESPONSE ? "heartbeat-reply" : "heartbeat";
  if (command === ANSWER && type === RESPONSE) return "response";
  if (command === CALL && type !== RESPONSE) return type === ONE_WAY ? "one-way" : "request";
  if (command === GO_AWAY && type !== RESPONSE) return "go-away";
  throw rpcError("FL_RPC_MALFORMED", "bolt", `command ${command} in a frame of type ${type}`);
}

const httpStatusOf: Readonly<Record<number, number>> = {
  [status.success]: 200,
  [status.busy]: 503,
  [status.communication]: 502,
  [status.noProcessor]: 404,
  [status.timeout]: 504,
  [status.connectionClosed]: 502,
};

/** SOFA's bolt, versions 1 and 2; both may come on one connection. */
export const boltProtocol: RpcProtocol = {
  name: "bolt",
  refusedStatuses: new Set([status.busy, status.noProcessor]),
  headBytes: 24,
  lengthOf,

  matches(first) {
    if (first.length === 0) return undefined;
    if (first[0] !== 1 && first[0] !== 2) return false;
    // Enough to tell it from what also begins with a small byte: type, and the upper byte of the command.
    const shift = first[0] - 1;
    if (first.length < 3 + shift) return undefined;
    return first[1 + shift]! <= ONE_WAY && first[2 + shift] === 0;
  },

  frameOf(bytes): RpcFrame {
    checkCrc(bytes);
    return { kind: kindOf(bytes), bytes, idHigh: 0, idLow: bytes.readUInt32BE(idAt(bytes)) };
  },

  setId(bytes, _idHigh, idLow) {
    bytes.writeUInt32BE(idLow, idAt(bytes));
    writeCrc(bytes);
  },

  callOf(frame): RpcCall {
    return new BoltCall(frame.bytes);
  },

  outcomeOf({ bytes }): RpcOutcome {
    const code = bytes.readUInt16BE(timeoutAt(bytes));
    const delivered = code === status.success;
    return {
      delivered,
      threw: delivered && saysThatItThrew(bytes),
      status: code,
      httpStatus: httpStatusOf[code] ?? 500,
    };
  },

  withAttachments({ bytes }, added) {
    const { classStart, headerStart, contentStart, contentEnd } = partsOf(bytes);
    const replaced = new Set(added.map(([name]) => name));
    const kept = readHeaders(bytes, headerStart, contentStart).filter(([name]) => !replaced.has(name));
    const header = writeHeaders([...kept, ...added]);
    if (header.length > maxHeaderBytes) {
      throw rpcError(
        "FL_RPC_TOO_LARGE",
        "bolt",
        `headers of ${header.length} bytes; a frame has room for ${maxHeaderBytes}`,
      );
    }
    const head = Buffer.from(bytes.subarray(0, classStart));
    head.writeUInt16BE(header.length, lengthsAt(bytes) + 2);
    const frame = Buffer.concat([
      head,
      bytes.subarray(classStart, headerStart),
      header,
      bytes.subarray(contentStart, contentEnd),
      Buffer.alloc(hasCrc(bytes) ? 4 : 0),
    ]);
    writeCrc(frame);
    return frame;
  },

  heartbeat,
  heartbeatReply: ({ bytes }) => heartbeatReply(bytes),
  goAway: () => undefined,
  failureOf: ({ bytes }, reason: RpcFailure, text) => failure(bytes, reason, text),
};

function saysThatItThrew(response: Buffer): boolean {
  const { headerStart, contentStart } = partsOf(response);
  if (headerStart === contentStart) return false;
  return readHeaders(response, headerStart, contentStart).some(
    ([name, value]: BoltHeader) => name === "sofa_head_response_error" && value === "true",
  );
}
