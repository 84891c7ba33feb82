/** One byte a code point: what may stand where (RFC 9110 §5.5, §5.6.2). */
const token = new Uint8Array(256);
const lower = new Uint8Array(256);
for (let code = 0; code < 256; code++) lower[code] = code >= 65 && code <= 90 ? code + 32 : code;
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  token[char.charCodeAt(0)] = 1;

export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;
export const SEMICOLON = 59;

export function isTokenByte(code: number): boolean {
  return token[code] === 1;
}

export function lowerCaseOf(code: number): number {
  return lower[code] ?? code;
}

/** Visible ASCII, space, tab, and the obsolete text bytes 0x80–0xff. */
export function isFieldByte(code: number): boolean {
  return (code >= 32 && code !== 127) || code === TAB;
}

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenByte(text.charCodeAt(i))) return false;
  return text.length > 0;
}

/** @returns the value of a hexadecimal digit, -1 when it is none */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
