import { rpcError } from "@fairlead/codec-rpc";

/*
 * Version 1 (all numbers big-endian). A response has `status` where a request has `timeout`, and is two bytes shorter.
 *
 *   0      1     2        4     5       9      10                14        16         18          22
 *   proto │type │cmd code│ver2 │id     │codec │timeout  (i32)   │class len│header len│content len│ class header content
 *     1   │ 1   │  2     │ 1   │  4    │  1   │4  / status 2    │   2     │    2     │    4      │
 *
 * Version 2 has `ver1` behind `proto` and `switch` behind `codec`:
 *
 *   0      1     2     3        5     6       10     11      12                16        18         20          24
 *   proto │ver1 │type │cmd code│ver2 │id     │codec │switch │timeout / status │class len│header len│content len│ …
 *
 * With ver1 = 2 and bit 0 of `switch`, four bytes follow: the CRC32 of the whole frame before them.
 */
const crcSwitch = 1;
const crcBytes = 4;

export const RESPONSE = 0;
export const REQUEST = 1;
export const ONE_WAY = 2;

export const HEARTBEAT = 0;
export const CALL = 1;
export const ANSWER = 2;
/** MOSN's: a proxy that drains. */
export const GO_AWAY = 100;

/** Where the parts of one frame are. */
export interface FrameParts {
  readonly classStart: number;
  readonly headerStart: number;
  readonly contentStart: number;
  readonly contentEnd: number;
}

/** 0 for version 1, 1 for version 2: how far fields are behind those of version 1, up to `codec`. */
function shiftOf(bytes: Buffer, at: number): number {
  const version = bytes[at]!;
  if (version !== 1 && version !== 2)
    throw rpcError("FL_RPC_MALFORMED", "bolt", `protocol version ${version}; known are 1 and 2`);
  return version - 1;
}

/** Bytes before the class. */
function headBytes(bytes: Buffer, at: number, shift: number): number {
  const type = bytes[at + 1 + shift]!;
  if (type > ONE_WAY) throw rpcError("FL_RPC_MALFORMED", "bolt", `frame type ${type}; known are 0, 1 and 2`);
  return (type === RESPONSE ? 20 : 22) + 2 * shift;
}

export function lengthOf(bytes: Buffer, at: number, available: number): number {
  const shift = shiftOf(bytes, at);
  if (available < 20) return 0;
  const head = headBytes(bytes, at, shift);
  if (available < head) return 0;
  const lengths = at + head - 8;
  const body = bytes.readUInt16BE(lengths) + bytes.readUInt16BE(lengths + 2) + bytes.readUInt32BE(lengths + 4);
  return head + body + (shift === 1 && carriesCrc(bytes, at) ? crcBytes : 0);
}

function carriesCrc(bytes: Buffer, at: number): boolean {
  return bytes[at + 1] === 2 && (bytes[at + 11]! & crcSwitch) !== 0;
}

export function isVersion2(frame: Buffer): boolean {
  return frame[0] === 2;
}

export function hasCrc(frame: Buffer): boolean {
  return isVersion2(frame) && carriesCrc(frame, 0);
}

export function typeOf(frame: Buffer): number {
  return frame[isVersion2(frame) ? 2 : 1]!;
}

export function commandOf(frame: Buffer): number {
  return frame.readUInt16BE(isVersion2(frame) ? 3 : 2);
}

export function idAt(frame: Buffer): number {
  return isVersion2(frame) ? 6 : 5;
}

export function codecAt(frame: Buffer): number {
  return isVersion2(frame) ? 10 : 9;
}

/** Of a request: the time-out in ms. Of a response: two bytes of status. */
export function timeoutAt(frame: Buffer): number {
  return isVersion2(frame) ? 12 : 10;
}

/** Where the lengths of class, header and content are. */
export function lengthsAt(frame: Buffer): number {
  return (typeOf(frame) === RESPONSE ? 12 : 14) + (isVersion2(frame) ? 2 : 0);
}

export function partsOf(frame: Buffer): FrameParts {
  const lengths = lengthsAt(frame);
  const classStart = lengths + 8;
  const headerStart = classStart + frame.readUInt16BE(lengths);
  const contentStart = headerStart + frame.readUInt16BE(lengths + 2);
  return { classStart, headerStart, contentStart, contentEnd: contentStart + frame.readUInt32BE(lengths + 4) };
}
