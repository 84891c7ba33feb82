import { codeLengths, codes } from "./huffman-code.ts";

/** Bytes that a string takes; code points above 255 do not occur in headers and count as their low byte. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += codeLengths[text.charCodeAt(i) & 255] ?? 0;
  return (bits + 7) >>> 3;
}

/** @returns the offset after the string */
export function encodeHuffman(text: string, out: Buffer, start: number): number {
  let at = start;
  // At most 7 bits wait, so that with one more code (up to 30 bits) there are two steps for long codes.
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 255;
    let code = codes[symbol] ?? 0;
    let length = codeLengths[symbol] ?? 0;
    if (length > 24) {
      bits = (bits << (length - 16)) | (code >>> 16);
      count += length - 16;
      while (count >= 8) {
        count -= 8;
        out[at++] = bits >>> count;
      }
      code &= 0xffff;
      length = 16;
    }
    bits = (bits << length) | code;
    count += length;
    while (count >= 8) {
      count -= 8;
      out[at++] = bits >>> count;
    }
  }
  if (count > 0) out[at++] = (bits << (8 - count)) | (255 >>> count);
  return at;
}
