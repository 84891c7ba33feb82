/** One byte a code point: what may stand where (RFC 9110 §5.6.2 in lower case, RFC 9113 §8.2.1). */
const lowerToken = new Uint8Array(256);
const methodToken = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") lowerToken[char.charCodeAt(0)] = 1;
methodToken.set(lowerToken);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") methodToken[char.charCodeAt(0)] = 1;

const authority = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+;=:[]") {
  authority[char.charCodeAt(0)] = 1;
}

export function isHeaderName(name: string): boolean {
  return all(name, lowerToken);
}

export function isMethod(method: string): boolean {
  return all(method, methodToken);
}

/** No control bytes, which HTTP/1.1 forbids too, and no blanks around it. */
export function isHeaderValue(value: string): boolean {
  const { length } = value;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 32 && code !== 9) || code === 127) return false;
  }
  return length === 0 || (!isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(length - 1)));
}

/** Visible ASCII without a fragment: what may stand in the first line of HTTP/1.1 (RFC 9112 §3.2). */
export function isTarget(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 32 || code >= 127 || code === 35) return false;
  }
  return text.length > 0;
}

/** A host with an optional port; no user information, list or path (RFC 9113 §8.3.1): what HTTP/1.1 takes in Host. */
export function isAuthority(text: string): boolean {
  return all(text, authority);
}

/** @returns -1 when it is not a number of digits alone that is safe to count with */
export function readDigits(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function all(text: string, allowed: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (allowed[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
