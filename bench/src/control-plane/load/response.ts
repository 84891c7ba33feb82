import type { Variant } from "./variant.ts";
import { eachField } from "./wire.ts";

/** Where a resource is in a response. */
export interface ResourceSpan {
  /** Of the encoded resource itself. */
  readonly start: number;
  readonly end: number;
  /** Of its name; of SotW it is the first field of all types that a mesh has. */
  readonly nameStart: number;
  readonly nameEnd: number;
  /** Delta only; empty in SotW. */
  readonly version: string;
}

export interface ResponseHead {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: number;
  /** All resources are between these. */
  readonly resourcesStart: number;
  readonly resourcesEnd: number;
}

// The same in both protocols.
const versionNumber = 1;
const resourceNumber = 2;
const typeUrlNumber = 4;
const nonceNumber = 5;

/** Reads what an ACK needs. The resources are counted, not read. */
export function readHead(bytes: Buffer): ResponseHead {
  let typeUrl = "";
  let nonce = "";
  let version = "";
  let resources = 0;
  let resourcesStart = 0;
  let resourcesEnd = 0;
  eachField(bytes, 0, bytes.byteLength, (field) => {
    if (field.number === resourceNumber) {
      if (resources === 0) resourcesStart = field.start;
      resourcesEnd = field.end;
      resources += 1;
    } else if (field.number === typeUrlNumber) typeUrl = bytes.toString("latin1", field.start, field.end);
    else if (field.number === nonceNumber) nonce = bytes.toString("latin1", field.start, field.end);
    else if (field.number === versionNumber) version = bytes.toString("latin1", field.start, field.end);
  });
  return { typeUrl, nonce, version, resources, resourcesStart, resourcesEnd };
}

/** Calls `visit` for each resource of a response. */
export function eachResource(variant: Variant, bytes: Buffer, visit: (span: ResourceSpan) => void): void {
  eachField(bytes, 0, bytes.byteLength, ({ number, start, end }) => {
    if (number !== resourceNumber) return;
    if (variant === "sotw") visit(spanOfAny(bytes, start, end));
    else visit(spanOfResource(bytes, start, end));
  });
}

function spanOfAny(bytes: Buffer, from: number, to: number): ResourceSpan {
  const span = { start: to, end: to, nameStart: 0, nameEnd: 0, version: "" };
  eachField(bytes, from, to, (field) => {
    if (field.number !== 2) return;
    span.start = field.start;
    span.end = field.end;
  });
  // Cluster, ClusterLoadAssignment, Listener and RouteConfiguration have their name in field 1, and encoders write it first.
  if (bytes[span.start] === 0x0a) {
    const length = bytes[span.start + 1] ?? 0;
    const wide = length >= 0x80;
    span.nameStart = span.start + (wide ? 3 : 2);
    span.nameEnd = span.nameStart + (wide ? (length & 0x7f) + (bytes[span.start + 2] ?? 0) * 128 : length);
  }
  return span;
}

function spanOfResource(bytes: Buffer, from: number, to: number): ResourceSpan {
  const span = { start: to, end: to, nameStart: 0, nameEnd: 0, version: "" };
  eachField(bytes, from, to, (field) => {
    if (field.number === 1) span.version = bytes.toString("latin1", field.start, field.end);
    else if (field.number === 3) {
      span.nameStart = field.start;
      span.nameEnd = field.end;
    } else if (field.number === 2) {
      const any = spanOfAny(bytes, field.start, field.end);
      span.start = any.start;
      span.end = any.end;
    }
  });
  return span;
}
