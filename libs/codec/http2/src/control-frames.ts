import { FLAG, FRAME } from "./frame-types.ts";
import { type FrameWriter, writeUint32 } from "./frame-writer.ts";

/** What debug data a GOAWAY carries at most. */
const MAX_DEBUG_BYTES = 200;

/** @param values identifier, value, identifier, value … */
export function writeSettings(writer: FrameWriter, values: readonly number[]): void {
  let at = writer.frame(FRAME.settings, 0, 0, (values.length / 2) * 6);
  for (let i = 0; i < values.length; i += 2) {
    writer.buffer[at] = 0;
    writer.buffer[at + 1] = values[i] ?? 0;
    writeUint32(writer.buffer, at + 2, values[i + 1] ?? 0);
    at += 6;
  }
}

/** @param opaque 8 bytes */
export function writePing(writer: FrameWriter, opaque: Buffer, ack: boolean): void {
  const at = writer.frame(FRAME.ping, ack ? FLAG.ack : 0, 0, 8);
  writer.buffer.set(opaque, at);
}

/** RST_STREAM and WINDOW_UPDATE: a frame of one number. */
export function writeNumber(writer: FrameWriter, type: number, streamId: number, value: number): void {
  const at = writer.frame(type, 0, streamId, 4);
  writeUint32(writer.buffer, at, value);
}

export function writeGoAway(writer: FrameWriter, lastStreamId: number, errorCode: number, text: string): void {
  const debug = Buffer.from(text, "latin1").subarray(0, MAX_DEBUG_BYTES);
  const at = writer.frame(FRAME.goAway, 0, 0, 8 + debug.length);
  writeUint32(writer.buffer, at, lastStreamId);
  writeUint32(writer.buffer, at + 4, errorCode);
  writer.buffer.set(debug, at + 8);
}
