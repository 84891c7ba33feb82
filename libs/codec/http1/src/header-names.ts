import { isTokenByte, lowerCaseOf } from "./octets.ts";

/**
 * Header names that are met often. A name on the wire is found here without a new string, so that later comparisons
 * with the same literals are comparisons of pointers.
 */
const commonNames = [
  "host", "connection", "content-length", "transfer-encoding", "content-type", "accept", "accept-encoding", "accept-language",
  "user-agent", "date", "server", "keep-alive", "cache-control", "cookie", "set-cookie", "expect", "upgrade", "te", "trailer",
  "proxy-connection", "authorization", "x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "traceparent",
  "tracestate", "baggage", "b3", "etag", "last-modified", "if-none-match", "if-modified-since", "vary", "location", "origin",
  "referer", "content-encoding", "pragma", "expires", "via", "range", "accept-ranges", "content-range", "age", "allow",
  "x-envoy-upstream-service-time", "x-envoy-attempt-count", "x-envoy-decorator-operation", "grpc-status", "grpc-timeout",
] as const; // prettier-ignore

const buckets: string[][] = Array.from({ length: 256 }, () => []);
for (const name of commonNames) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = step(hash, name.charCodeAt(i));
  buckets[hash & 255]?.push(name);
}

function step(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}

/**
 * The name in `text[start, end)` in lower case.
 *
 * @returns "" when it is empty or holds a byte that a token may not (RFC 9110 §5.6.2): then it is no name
 */
export function readHeaderName(text: string, start: number, end: number): string {
  let hash = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isTokenByte(code)) return "";
    hash = step(hash, lowerCaseOf(code));
  }
  const length = end - start;
  const bucket = buckets[hash & 255];
  if (bucket !== undefined) {
    for (let b = 0; b < bucket.length; b++) {
      const name = bucket[b];
      if (name !== undefined && name.length === length && equalsIgnoringCase(text, start, name)) return name;
    }
  }
  return text.slice(start, end).toLowerCase();
}

/** @param lower in lower case */
export function equalsIgnoringCase(text: string, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if (lowerCaseOf(text.charCodeAt(start + i)) !== lower.charCodeAt(i)) return false;
  }
  return true;
}
