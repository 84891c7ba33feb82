/** Writes an integer with an n-bit prefix (RFC 7541 §5.1). @param high the bits above the prefix. @returns the offset after it */
export function writeInteger(value: number, prefixBits: number, high: number, out: Buffer, start: number): number {
  const limit = (1 << prefixBits) - 1;
  let at = start;
  if (value < limit) {
    out[at++] = high | value;
    return at;
  }
  out[at++] = high | limit;
  let rest = value - limit;
  while (rest >= 128) {
    out[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}
