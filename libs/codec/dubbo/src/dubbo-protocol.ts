import {
  rpcError,
  type RpcCall,
  type RpcFailure,
  type RpcFrame,
  type RpcFrameKind,
  type RpcOutcome,
  type RpcProtocol,
} from "@fairlead/codec-rpc";
import { DubboCall } from "./dubbo-call.ts";
import { withMore as withMoreFastjson2 } from "./fastjson2-body.ts";
import { EVENT, flagsOf, HEAD_BYTES, lengthOf, OK, REQUEST, serializationOf, TWO_WAY } from "./frame-layout.ts";
import { withMore as withMoreHessian } from "./hessian-body.ts";
import { failure, goAway, heartbeat, heartbeatReply } from "./reply.ts";
import { FASTJSON2, HESSIAN2 } from "./serialization.ts";

/** Java refuses events with longer bodies. */
const maxEventBytes = 15;

function kindOf(bytes: Buffer): RpcFrameKind {
  const flags = flagsOf(bytes);
  const request = (flags & REQUEST) !== 0;
  if ((flags & EVENT) === 0) {
    if (!request) return "response";
    return (flags & TWO_WAY) === 0 ? "one-way" : "request";
  }
  if (bytes.length - HEAD_BYTES > maxEventBytes) {
    throw rpcError(
      "FL_RPC_MALFORMED",
      "dubbo",
      `an event of ${bytes.length - HEAD_BYTES} bytes; Dubbo's have at most ${maxEventBytes}`,
    );
  }
  if (!request) return "heartbeat-reply";
  const said = eventText(bytes);
  if (said === "R") return "go-away";
  if (said === "W") return "come-back";
  return (flags & TWO_WAY) === 0 ? "heartbeat-reply" : "heartbeat";
}

/** An event's letter: a string of one, in Hessian 01 and the letter, in fastjson2 00 00 00 02 4a and the letter. */
function eventText(bytes: Buffer): string | undefined {
  const before = bytes[bytes.length - 2];
  if (bytes.length < HEAD_BYTES + 2 || (before !== 0x01 && before !== 0x4a)) return undefined;
  return String.fromCharCode(bytes[bytes.length - 1]!);
}

/** What a response's body begins with: Hessian writes 90 and up, fastjson2 00 00 00 02 bd and the flag. */
function flagOf(response: Buffer): number | undefined {
  switch (serializationOf(response)) {
    case HESSIAN2:
      return response.length > HEAD_BYTES ? response[HEAD_BYTES]! - 0x90 : undefined;
    case FASTJSON2:
      return response.length > HEAD_BYTES + 5 ? response[HEAD_BYTES + 5] : undefined;
    default:
      return undefined;
  }
}

const httpStatusOf: Readonly<Record<number, number>> = {
  [OK]: 200,
  30: 504,
  31: 504,
  35: 502,
  40: 400,
  60: 404,
  90: 400,
  100: 503,
};

/** Dubbo's own protocol, version 2. */
export const dubboProtocol: RpcProtocol = {
  name: "dubbo",
  // SERVICE_NOT_FOUND and SERVER_THREADPOOL_EXHAUSTED_ERROR.
  refusedStatuses: new Set([60, 100]),
  headBytes: HEAD_BYTES,
  lengthOf,

  matches(first) {
    if (first.length > 0 && first[0] !== 0xda) return false;
    return first.length < 2 ? undefined : first[1] === 0xbb;
  },

  frameOf(bytes): RpcFrame {
    return { kind: kindOf(bytes), bytes, idHigh: bytes.readUInt32BE(4), idLow: bytes.readUInt32BE(8) };
  },

  setId(bytes, idHigh, idLow) {
    bytes.writeUInt32BE(idHigh, 4);
    bytes.writeUInt32BE(idLow, 8);
  },

  callOf(frame): RpcCall {
    return new DubboCall(frame.bytes);
  },

  outcomeOf({ bytes }): RpcOutcome {
    const status = bytes[3]!;
    const delivered = status === OK;
    // An exception, without and with attachments.
    const flag = flagOf(bytes);
    return {
      delivered,
      threw: delivered && (flag === 0 || flag === 3),
      status,
      httpStatus: httpStatusOf[status] ?? 500,
    };
  },

  withAttachments({ bytes }, added) {
    const at = new DubboCall(bytes).attachmentsAt;
    if (at === undefined) {
      throw rpcError("FL_RPC_BODY_UNREADABLE", "dubbo", "attachments can be added to hessian2 and fastjson2 only");
    }
    const map = at.present ? bytes.subarray(at.start) : Buffer.alloc(0);
    const withMore = serializationOf(bytes) === HESSIAN2 ? withMoreHessian : withMoreFastjson2;
    const frame = Buffer.concat([bytes.subarray(0, at.start), withMore(map, added)]);
    frame.writeUInt32BE(frame.length - HEAD_BYTES, 12);
    return frame;
  },

  heartbeat,
  heartbeatReply: ({ bytes }) => heartbeatReply(bytes),
  goAway,
  failureOf: ({ bytes }, reason: RpcFailure, text) => failure(bytes, reason, text),
};
