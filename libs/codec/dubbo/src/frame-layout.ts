import { rpcError } from "@fairlead/codec-rpc";

/*
 *   0      2     3       4                 12             16
 *   da bb │flags│status │id (8 bytes)     │body length   │ body
 *
 *   flags: 80 request, 40 two-way, 20 event, low 5 bits serialization. status: of responses only.
 */
export const HEAD_BYTES = 16;
const MAGIC = 0xdabb;

export const REQUEST = 0x80;
export const TWO_WAY = 0x40;
export const EVENT = 0x20;
const SERIALIZATION = 0x1f;

export const OK = 20;

export function lengthOf(bytes: Buffer, at: number, available: number): number {
  if (available >= 2 && bytes.readUInt16BE(at) !== MAGIC) {
    throw rpcError(
      "FL_RPC_MALFORMED",
      "dubbo",
      `a frame begins with ${bytes.toString("hex", at, at + 2)}, not with dabb`,
    );
  }
  return available < HEAD_BYTES ? 0 : HEAD_BYTES + bytes.readUInt32BE(at + 12);
}

export function flagsOf(frame: Buffer): number {
  return frame[2]!;
}

export function serializationOf(frame: Buffer): number {
  return frame[2]! & SERIALIZATION;
}

/** A frame without its body written. */
export function frameWith(flags: number, status: number, bodyBytes: number): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + bodyBytes);
  frame.writeUInt16BE(MAGIC, 0);
  frame[2] = flags;
  frame[3] = status;
  frame.writeUInt32BE(bodyBytes, 12);
  return frame;
}
