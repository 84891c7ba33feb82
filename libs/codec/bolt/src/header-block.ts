import { rpcError } from "@fairlead/codec-rpc";

/** A header is `u32 length, name, u32 length, value`; a length of all ones is null. */
const NULL = 0xffffffff;

export type BoltHeader = readonly [name: string, value: string];

/** @throws FairleadError FL_RPC_BODY_UNREADABLE when the lengths do not add up to the block */
export function readHeaders(frame: Buffer, start: number, end: number): BoltHeader[] {
  const headers: BoltHeader[] = [];
  for (let at = start; at < end;) {
    const nameEnd = endOf(frame, at, end);
    const valueEnd = endOf(frame, nameEnd, end);
    if (!isNull(frame, at) && !isNull(frame, nameEnd)) {
      headers.push([frame.toString("utf8", at + 4, nameEnd), frame.toString("utf8", nameEnd + 4, valueEnd)]);
    }
    at = valueEnd;
  }
  return headers;
}

function isNull(frame: Buffer, at: number): boolean {
  return frame.readUInt32BE(at) === NULL;
}

/** @returns where the text whose length is at `at` ends */
function endOf(frame: Buffer, at: number, end: number): number {
  const left = end - at - 4;
  const length = left < 0 ? 0 : isNull(frame, at) ? 0 : frame.readUInt32BE(at);
  if (length > left) throw rpcError("FL_RPC_BODY_UNREADABLE", "bolt", "a length in the headers goes past their end");
  return at + 4 + length;
}

export function writeHeaders(headers: readonly BoltHeader[]): Buffer {
  const size = headers.reduce((sum, [name, value]) => sum + 8 + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  const block = Buffer.allocUnsafe(size);
  let at = 0;
  for (const header of headers) {
    for (const text of header) {
      const length = block.write(text, at + 4, "utf8");
      block.writeUInt32BE(length, at);
      at += 4 + length;
    }
  }
  return block;
}
