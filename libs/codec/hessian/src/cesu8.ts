/*
 * Hessian counts a string in UTF-16 units and writes each unit as UTF-8 has it, surrogates too (CESU-8): an emoji is two units
 * of 3 bytes. Peers that are not Java also write it as one character of 4 bytes.
 */
import { malformed } from "./hessian-error.ts";

/**
 * Where the text of `units` UTF-16 units that begins at `start` ends.
 *
 * @throws FairleadError FL_HESSIAN_MALFORMED when it goes past `end`, or a byte begins no character
 */
export function endOfText(bytes: Uint8Array, start: number, end: number, units: number): number {
  let at = start;
  let left = units;
  while (left > 0) {
    const byte = bytes[at]!;
    if (byte < 0x80) at += 1;
    else if (byte < 0xc0) throw malformed("a text goes on where a character should begin", at);
    else if (byte < 0xe0) at += 2;
    else if (byte < 0xf0) at += 3;
    else if (byte < 0xf5) {
      at += 4;
      // Two units; some encoders count it as one, and then it is the last.
      if (left > 1) left--;
    } else throw malformed("a byte that no text holds", at);
    if (at > end) throw malformed("a text goes past the end", start);
    left--;
  }
  return at;
}

/** @param end as `endOfText` gives it */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  let ascii = true;
  let surrogates = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte < 0x80) continue;
    ascii = false;
    // ED A0..BF: one half of a surrogate pair, which UTF-8 forbids.
    if (byte === 0xed && bytes[i + 1]! >= 0xa0) surrogates = true;
  }
  if (ascii) return bytes.toString("latin1", start, end);
  if (!surrogates) return bytes.toString("utf8", start, end);
  return decodeUnits(bytes, start, end);
}

const LAST_CODE_POINT = 0x10ffff;
/** What stands for bytes that are no character, as in all decoders of UTF-8. */
const REPLACEMENT = "\ufffd";

function decodeUnits(bytes: Uint8Array, start: number, end: number): string {
  const parts: string[] = [];
  for (let at = start; at < end;) {
    const first = bytes[at]!;
    const second = bytes[at + 1]! & 0x3f;
    const third = bytes[at + 2]! & 0x3f;
    if (first < 0x80) {
      parts.push(String.fromCharCode(first));
      at += 1;
    } else if (first < 0xe0) {
      parts.push(String.fromCharCode(((first & 0x1f) << 6) | second));
      at += 2;
    } else if (first < 0xf0) {
      parts.push(String.fromCharCode(((first & 0x0f) << 12) | (second << 6) | third));
      at += 3;
    } else {
      const code = ((first & 0x07) << 18) | (second << 12) | (third << 6) | (bytes[at + 3]! & 0x3f);
      parts.push(code <= LAST_CODE_POINT ? String.fromCodePoint(code) : REPLACEMENT);
      at += 4;
    }
  }
  return parts.join("");
}

/** Bytes that the text takes in CESU-8. */
export function textBytes(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return length;
}

/** @returns the offset behind it */
export function writeText(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else {
      target[at++] = 0xe0 | (unit >> 12);
      target[at++] = 0x80 | ((unit >> 6) & 0x3f);
      target[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return at;
}
