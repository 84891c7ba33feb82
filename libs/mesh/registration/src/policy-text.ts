import { isUtf8 } from "node:buffer";

const newLine = 0x0a;

/**
 * Decodes a text of policies. What is not UTF-8 is not replaced: a name with a replacement character would be stored as if somebody had
 * written that.
 *
 * @returns the text, or the first line, from 1, with bytes that are not UTF-8
 */
export function policyTextOf(bytes: Uint8Array): { readonly text: string } | { readonly brokenLine: number } {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  if (isUtf8(bytes)) return { text: decoder.decode(bytes) };
  // No byte of a longer character is a line feed.
  for (let line = 1, from = 0; ; line++) {
    const end = bytes.indexOf(newLine, from);
    if (!isUtf8(bytes.subarray(from, end < 0 ? bytes.length : end))) return { brokenLine: line };
    from = end + 1;
  }
}
