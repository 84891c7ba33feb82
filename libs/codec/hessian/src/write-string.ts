import { textBytes, writeText } from "./cesu8.ts";

/** What one length of two bytes can say, less room for a surrogate that must not be cut off from its pair. */
const maxChunkUnits = 0x8000;

/** How a grammar begins strings. */
interface StringForm {
  readonly lastChunk: number;
  readonly chunk: number;
  /** Whether lengths up to 1023 have a form of two bytes. */
  readonly medium: boolean;
}

const hessian2: StringForm = { lastChunk: 0x53, chunk: 0x52, medium: true };
const sofa: StringForm = { lastChunk: 0x53, chunk: 0x73, medium: false };

/** The text as a Hessian 2.0 string. */
export function hessian2String(text: string): Buffer {
  return written(text, hessian2);
}

/** The text as a string of SOFA's Hessian. */
export function sofaHessianString(text: string): Buffer {
  return written(text, sofa);
}

function written(text: string, form: StringForm): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  while (text.length - from > 0xffff) {
    let to = from + maxChunkUnits;
    const last = text.charCodeAt(to - 1);
    if (last >= 0xd800 && last <= 0xdbff) to--;
    parts.push(chunk(text.slice(from, to), Buffer.of(form.chunk, (to - from) >> 8, (to - from) & 0xff)));
    from = to;
  }
  const rest = text.slice(from);
  parts.push(chunk(rest, lastHead(rest.length, form)));
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function lastHead(units: number, form: StringForm): Buffer {
  if (units <= 0x1f) return Buffer.of(units);
  if (form.medium && units <= 0x3ff) return Buffer.of(0x30 | (units >> 8), units & 0xff);
  return Buffer.of(form.lastChunk, units >> 8, units & 0xff);
}

function chunk(text: string, head: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + textBytes(text));
  head.copy(bytes);
  writeText(text, bytes, head.length);
  return bytes;
}
