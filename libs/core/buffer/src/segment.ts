import { Slab } from "./slab.ts";

/** One piece of a chain: `bytes[start, end)`. */
export interface Segment {
  readonly bytes: Buffer;
  start: number;
  end: number;
  /** What has to be let go with the piece. */
  readonly slab: Slab | undefined;
  /** Nobody else sees the bytes after `end`, so that more may be written there. */
  hasRoom: boolean;
  next: Segment | undefined;
}

export function segmentOf(bytes: Buffer, slab: Slab | undefined): Segment {
  return { bytes, start: 0, end: bytes.length, slab, hasRoom: false, next: undefined };
}

/** A piece to write into. @param slab all of it is free */
export function emptySegment(slab: Slab): Segment {
  return { bytes: slab.bytes, start: 0, end: 0, slab, hasRoom: true, next: undefined };
}

/** Cuts the first `bytes` off, as a piece of its own that holds the same memory. */
export function splitOff(segment: Segment, bytes: number): Segment {
  const front: Segment = {
    bytes: segment.bytes,
    start: segment.start,
    end: segment.start + bytes,
    slab: segment.slab?.retain(),
    hasRoom: false,
    next: undefined,
  };
  segment.start += bytes;
  return front;
}

/** The piece's bytes, as a view. */
export function viewOf({ bytes, start, end }: Segment): Buffer {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}
