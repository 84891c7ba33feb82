import { hessian2String } from "@fairlead/codec-hessian";
import type { RpcFailure } from "@fairlead/codec-rpc";
import { fastjson2String } from "./fastjson2-body.ts";
import { EVENT, frameWith, HEAD_BYTES, OK, REQUEST, serializationOf, TWO_WAY } from "./frame-layout.ts";
import { FASTJSON2, HESSIAN2 } from "./serialization.ts";

/** Dubbo makes a RemotingException of each, and a TimeoutException of 31; the default cluster then tries another provider. */
const statusOf: Readonly<Record<RpcFailure, number>> = {
  "no-route": 60,
  "no-healthy-upstream": 60,
  overflow: 100,
  timeout: 31,
  // As nobody has begun with the call, another proxy may send it elsewhere: 35 does not say so.
  "connection-failed": 60,
  "connection-lost": 35,
  denied: 80,
  malformed: 40,
  unavailable: 70,
};

/** Hessian's null. */
const noBody = Buffer.of(0x4e);
/** Hessian's "R": the provider is read-only. */
const readOnly = Buffer.of(0x01, 0x52);
const maxTextLength = 1024;

function event(flags: number, idLow: number, body: Buffer): Buffer {
  const frame = frameWith(flags | HESSIAN2, 0, body.length);
  frame.writeUInt32BE(idLow, 8);
  body.copy(frame, HEAD_BYTES);
  return frame;
}

export function heartbeat(idLow: number): Buffer {
  return event(REQUEST | TWO_WAY | EVENT, idLow, noBody);
}

/** Providers say so to all their clients before they shut down. */
export function goAway(idLow: number): Buffer {
  return event(REQUEST | EVENT, idLow, readOnly);
}

/** A response in the request's serialization: clients refuse another one. */
function response(request: Buffer, flags: number, status: number, body: Buffer): Buffer {
  const frame = frameWith(flags | serializationOf(request), status, body.length);
  request.copy(frame, 4, 4, 12);
  body.copy(frame, HEAD_BYTES);
  return frame;
}

export function heartbeatReply(request: Buffer): Buffer {
  return response(request, EVENT, OK, request.subarray(HEAD_BYTES));
}

export function failure(request: Buffer, reason: RpcFailure, text: string): Buffer {
  const short = text.slice(0, maxTextLength);
  const serialization = serializationOf(request);
  let body: Buffer = Buffer.alloc(0);
  if (serialization === HESSIAN2) body = hessian2String(short);
  else if (serialization === FASTJSON2) body = fastjson2String(short);
  return response(request, 0, statusOf[reason], body);
}
