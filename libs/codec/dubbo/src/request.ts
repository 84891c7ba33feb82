import { Hessian2ValueReader, hessian2String, type HessianValue } from "@fairlead/codec-hessian";
import { type FrameLayout, rpcError } from "@fairlead/codec-rpc";
import {
  EVENT,
  flagsOf,
  frameWith,
  HEAD_BYTES,
  lengthOf,
  OK,
  REQUEST,
  serializationOf,
  TWO_WAY,
} from "./frame-layout.ts";
import { HESSIAN2 } from "./serialization.ts";

/** A call that the mesh itself makes: all arguments are strings. */
export interface DubboRequest {
  readonly id: number;
  readonly path: string;
  readonly version: string;
  readonly method: string;
  readonly args: readonly string[];
  readonly attachments: Readonly<Record<string, string>>;
}

export const dubboFrames: FrameLayout = { name: "dubbo", headBytes: HEAD_BYTES, lengthOf };

const protocolVersion = "2.0.2";
const stringDescriptor = "Ljava/lang/String;";

/** The frame of a call, in Hessian 2.0. */
export function dubboRequest({ id, path, version, method, args, attachments }: DubboRequest): Buffer {
  const texts = [protocolVersion, path, version, method, stringDescriptor.repeat(args.length), ...args];
  const entries = Object.entries(attachments).flatMap(([name, value]) => [hessian2String(name), hessian2String(value)]);
  const body = Buffer.concat([...texts.map(hessian2String), Buffer.of(0x48), ...entries, Buffer.of(0x5a)]);
  const frame = frameWith(REQUEST | TWO_WAY | HESSIAN2, 0, body.length);
  frame.writeUInt32BE(id, 8);
  body.copy(frame, HEAD_BYTES);
  return frame;
}

const withValue = new Set([1, 4]);
const withException = new Set([0, 3]);

/**
 * What the call with that id answered.
 *
 * @returns undefined when the frame is not its reply: a heartbeat, another call's
 * @throws FairleadError FL_RPC_MALFORMED also when the call failed, or is in another serialization than Hessian 2.0
 */
export function readDubboReply(frame: Buffer, id: number): { readonly value: HessianValue } | undefined {
  const flags = flagsOf(frame);
  if ((flags & REQUEST) !== 0 || (flags & EVENT) !== 0 || frame.readUInt32BE(8) !== id) return undefined;
  const failed = (what: string) => rpcError("FL_RPC_MALFORMED", "dubbo", what);
  if (serializationOf(frame) !== HESSIAN2) throw failed(`a reply in serialization ${serializationOf(frame)}`);
  const reader = new Hessian2ValueReader();
  reader.begin(frame, HEAD_BYTES, frame.length);
  if (frame[3] !== OK) throw failed(`the call failed with status ${frame[3]}: ${textOf(reader.readValue())}`);
  const kind = Number(reader.readValue());
  if (withException.has(kind)) throw failed(`the call failed: ${messageOf(reader.readValue())}`);
  return { value: withValue.has(kind) ? reader.readValue() : null };
}

function messageOf(exception: HessianValue): string {
  return textOf(exception instanceof Map ? (exception.get("detailMessage") ?? null) : exception);
}

/** Lists are not written out: a few bytes of references to lists make more text than there is memory. */
function textOf(value: HessianValue): string {
  return typeof value === "object" && value !== null ? "no text" : String(value);
}
