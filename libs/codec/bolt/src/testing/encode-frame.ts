import { crc32 } from "node:zlib";

/** What a frame says, as a test has it. */
export interface BoltFrame {
  readonly protocol: "v1" | "v2" | "v2 crc";
  readonly kind: "request" | "one-way" | "response";
  readonly id: number;
  readonly codec: number;
  /** Of a request in ms, or a response's status. */
  readonly timeoutOrStatus: number;
  readonly className: string;
  /** null is what Java writes for none. */
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  readonly content: Uint8Array;
}

const types = { response: 0, request: 1, "one-way": 2 } as const;

/** As sofa-bolt's encoders write it, field after field: nothing in it is the codec's own. */
export function encodeFrame(frame: BoltFrame): Buffer {
  const parts: Buffer[] = [];
  const u8 = (value: number): number => parts.push(Buffer.of(value));
  const u16 = (value: number): number => parts.push(Buffer.of(value >> 8, value & 0xff));
  const u32 = (value: number): number => parts.push(Buffer.of(value >>> 24, value >> 16, value >> 8, value));
  const version2 = frame.protocol !== "v1";
  const crc = frame.protocol === "v2 crc";
  u8(version2 ? 2 : 1);
  if (version2) u8(crc ? 2 : 1);
  u8(types[frame.kind]);
  u16(frame.kind === "response" ? 2 : 1);
  u8(1);
  u32(frame.id);
  u8(frame.codec);
  if (version2) u8(crc ? 1 : 0);
  if (frame.kind === "response") u16(frame.timeoutOrStatus);
  else u32(frame.timeoutOrStatus);
  const className = Buffer.from(frame.className, "latin1");
  const headers = Buffer.concat(frame.headers.flat().map(headerText));
  u16(className.length);
  u16(headers.length);
  u32(frame.content.length);
  parts.push(className, headers, Buffer.from(frame.content));
  if (crc) u32(crc32(Buffer.concat(parts)));
  return Buffer.concat(parts);
}

function headerText(text: string | null): Buffer {
  if (text === null) return Buffer.alloc(4, 0xff);
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
