import { HpackEncoder } from "@fairlead/codec-hpack";
import { CLIENT_PREFACE, FLAG, FRAME } from "../frame-types.ts";

/** Frames by hand: what a peer may send, and what it may not. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer | string = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, body]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The preface and empty SETTINGS. */
export const greeting = Buffer.concat([CLIENT_PREFACE, frame(FRAME.settings, 0, 0)]);

/** A block without the dynamic table, so that blocks may be sent in any order. */
export function block(headers: readonly string[]): Buffer {
  const encoder = new HpackEncoder({ maxTableBytes: 0 });
  const out = Buffer.alloc(16 + headers.reduce((sum, part) => sum + part.length + 16, 0));
  encoder.begin(out, 0);
  for (let i = 0; i < headers.length; i += 2) encoder.header(headers[i] ?? "", headers[i + 1] ?? "");
  return out.subarray(0, encoder.end());
}

export const get = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"];
export const post = [":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a"];

export function request(streamId: number, headers: readonly string[] = get, endStream = true): Buffer {
  return frame(FRAME.headers, FLAG.endHeaders | (endStream ? FLAG.endStream : 0), streamId, block(headers));
}

export function reset(streamId: number, errorCode = 8): Buffer {
  return frame(FRAME.rstStream, 0, streamId, uint32(errorCode));
}

export interface ParsedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function parseFrames(bytes: Buffer): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    const streamId = bytes.readUInt32BE(at + 5);
    frames.push({
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      streamId,
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}
