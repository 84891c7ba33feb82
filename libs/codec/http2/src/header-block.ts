import { FLAG } from "./frame-types.ts";
import { frameSizeError, protocolError } from "./http2-error.ts";

/** The headers of one message on the wire: a HEADERS frame, and perhaps CONTINUATION frames. */
export class HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly dependsOnItself: boolean;
  frames = 0;
  bytes = 0;
  readonly #parts: Buffer[] = [];

  constructor(streamId: number, endStream: boolean, dependsOnItself: boolean) {
    this.streamId = streamId;
    this.endStream = endStream;
    this.dependsOnItself = dependsOnItself;
  }

  /** Keeps a copy: frames are valid for one call only. */
  add(bytes: Buffer, start: number, end: number): void {
    this.frames++;
    this.bytes += end - start;
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  join(): Buffer {
    return Buffer.concat(this.#parts, this.bytes);
  }
}

/** What of a HEADERS frame's payload is the block. */
export interface HeadersPayload {
  readonly start: number;
  readonly end: number;
  /** RFC 7540 §5.3.1; RFC 9113 has no priorities, but a frame that says this is broken all the same. */
  readonly dependsOnItself: boolean;
}

/** @throws Http2Error for padding or priority fields that do not fit */
export function readHeadersPayload(
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): HeadersPayload {
  let from = start;
  let to = end;
  let dependsOnItself = false;
  if ((flags & FLAG.padded) !== 0) {
    if (from >= to) throw frameSizeError("a padded HEADERS frame without room for its pad length");
    to -= bytes[from] ?? 0;
    from++;
  }
  if ((flags & FLAG.priority) !== 0) {
    if (end - from < 5) throw frameSizeError("a HEADERS frame without room for its priority");
    dependsOnItself = (bytes.readUInt32BE(from) & 0x7fffffff) === streamId;
    from += 5;
  }
  if (to < from) throw protocolError("more padding than a HEADERS frame has room for");
  return { start: from, end: to, dependsOnItself };
}
