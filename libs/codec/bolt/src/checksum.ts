import { crc32 } from "node:zlib";
import { rpcError } from "@fairlead/codec-rpc";
import { hasCrc } from "./frame-layout.ts";

/** @throws FairleadError FL_RPC_MALFORMED */
export function checkCrc(frame: Buffer): void {
  if (!hasCrc(frame)) return;
  const at = frame.length - 4;
  const expected = frame.readUInt32BE(at);
  const actual = crc32(frame.subarray(0, at));
  if (actual === expected) return;
  throw rpcError(
    "FL_RPC_MALFORMED",
    "bolt",
    `CRC32 is ${actual.toString(16)}, the frame says ${expected.toString(16)}`,
  );
}

/** After a change. */
export function writeCrc(frame: Buffer): void {
  if (!hasCrc(frame)) return;
  const at = frame.length - 4;
  frame.writeUInt32BE(crc32(frame.subarray(0, at)), at);
}
