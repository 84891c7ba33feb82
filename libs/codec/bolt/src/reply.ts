import type { RpcFailure } from "@fairlead/codec-rpc";
import { ANSWER, codecAt, HEARTBEAT, idAt, isVersion2, REQUEST, RESPONSE } from "./frame-layout.ts";
import { writeHeaders } from "./header-block.ts";

const hessian = 1;

/** Of sofa-bolt's ResponseStatus. */
export const status = {
  success: 0,
  error: 1,
  serverException: 2,
  unknown: 3,
  busy: 4,
  communication: 5,
  noProcessor: 6,
  timeout: 7,
  codec: 9,
  connectionClosed: 0x10,
} as const;

/** What a caller's framework makes an exception of: the same as if the service's own host had failed so. */
const statusOf: Readonly<Record<RpcFailure, number>> = {
  "no-route": status.noProcessor,
  "no-healthy-upstream": status.noProcessor,
  overflow: status.busy,
  timeout: status.timeout,
  // As nobody has begun with the call, another proxy may send it elsewhere: a failed communication does not say so.
  "connection-failed": status.noProcessor,
  "connection-lost": status.connectionClosed,
  denied: status.serverException,
  malformed: status.codec,
  unavailable: status.unknown,
};

/** A request of version 1 without class, headers and content: all that a proxy sends of its own accord. */
export function heartbeat(idLow: number): Buffer {
  const frame = Buffer.alloc(22);
  frame[0] = 1;
  frame[1] = REQUEST;
  frame.writeUInt16BE(HEARTBEAT, 2);
  frame[4] = 1;
  frame.writeUInt32BE(idLow, 5);
  frame[9] = hessian;
  frame.writeInt32BE(-1, 10);
  return frame;
}

/** A response in the request's version; never with a CRC: `switch` says so. */
function response(request: Buffer, command: number, code: number, header: Buffer): Buffer {
  const shift = isVersion2(request) ? 1 : 0;
  const head = 20 + 2 * shift;
  const frame = Buffer.alloc(head + header.length);
  frame[0] = 1 + shift;
  if (shift === 1) frame[1] = request[1]!;
  frame[1 + shift] = RESPONSE;
  frame.writeUInt16BE(command, 2 + shift);
  frame[4 + shift] = 1;
  request.copy(frame, 5 + shift, idAt(request), idAt(request) + 4);
  frame[9 + shift] = request[codecAt(request)]!;
  frame.writeUInt16BE(code, 10 + 2 * shift);
  frame.writeUInt16BE(header.length, head - 6);
  header.copy(frame, head);
  return frame;
}

export function heartbeatReply(request: Buffer): Buffer {
  return response(request, HEARTBEAT, status.success, Buffer.alloc(0));
}

/** sofa-bolt throws by the status alone; the text is there for who looks at the wire. */
export function failure(request: Buffer, reason: RpcFailure, text: string): Buffer {
  return response(request, ANSWER, statusOf[reason], writeHeaders([["fairlead-error", text.slice(0, 1024)]]));
}
