import { Http1Error } from "./http1-error.ts";
import { isTokenByte } from "./octets.ts";
import type { ParserLimits } from "./parser-limits.ts";

export interface RequestTarget {
  readonly method: string;
  /** "" for CONNECT. */
  readonly path: string;
  readonly http10: boolean;
  /** Of an absolute-form target; it wins over the Host header (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
}

const commonMethods = ["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"] as const;

/** Common ones without a new string: comparisons with literals are of pointers then. */
function methodOf(text: string, end: number): string {
  for (const method of commonMethods) if (method.length === end && text.startsWith(method)) return method;
  return text.slice(0, end);
}

/**
 * `text[0, end)` is the request line.
 *
 * @throws Http1Error 426 for HTTP/1.0 and HTTP/0.9, 403 for CONNECT, 400 else
 */
export function readRequestLine(text: string, end: number, limits: ParserLimits): RequestTarget {
  const methodEnd = text.indexOf(" ");
  if (methodEnd <= 0 || methodEnd >= end) throw new Http1Error("a request line without a target");
  for (let i = 0; i < methodEnd; i++) {
    if (!isTokenByte(text.charCodeAt(i))) throw new Http1Error("a method that is no token");
  }
  const method = methodOf(text, methodEnd);
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (targetEnd === -1 || targetEnd > end) throw lowVersion();
  let http10 = false;
  if (!text.startsWith("HTTP/1.1", targetEnd + 1) || targetEnd + 9 !== end) {
    const version = text.slice(targetEnd + 1, end);
    http10 = limits.acceptHttp10 === true && version === "HTTP/1.0";
    if (!http10 && /^HTTP\/(1\.0|0\.9)$/.test(version)) throw lowVersion();
    if (!http10) throw new Http1Error("a version other than HTTP/1.1");
  }
  const target = text.slice(methodEnd + 1, targetEnd);
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 32 || code >= 127) throw new Http1Error("a target with a byte that it may not hold");
    if (code === 35) throw new Http1Error("a target with a fragment");
  }
  if (target.charCodeAt(0) === 47 && method !== "CONNECT")
    return { method, path: target, http10, authority: undefined };
  return { method, http10, ...readOtherForm(method, target, limits) };
}

function readOtherForm(
  method: string,
  target: string,
  { allowConnect }: ParserLimits,
): Pick<RequestTarget, "path" | "authority"> {
  if (method === "CONNECT") {
    if (allowConnect !== true) {
      throw new Http1Error("CONNECT is not served", { status: 403, details: "upgrade_failed" });
    }
    // Authority form (RFC 9112 §3.2.3): a host and a port.
    if (!/^[^/?@]+:\d{1,5}$/.test(target)) throw new Http1Error("a CONNECT target that is not a host with a port");
    return { path: "", authority: target };
  }
  if (target === "*" && method === "OPTIONS") return { path: "*", authority: undefined };
  if (target.slice(0, 7).toLowerCase() === "http://") {
    const rest = target.slice(7);
    const slash = rest.search(/[/?]/);
    const authority = slash === -1 ? rest : rest.slice(0, slash);
    const path = slash === -1 ? "/" : rest.slice(slash);
    if (authority === "") throw new Http1Error("an absolute target without a host");
    return { path: path.startsWith("?") ? `/${path}` : path, authority };
  }
  if (target.slice(0, 8).toLowerCase() === "https://")
    throw new Http1Error("an https target on a connection without TLS");
  throw new Http1Error("a target that is neither a path nor an absolute http URL");
}

function lowVersion(): Http1Error {
  return new Http1Error("HTTP/1.0 and older are not served", { status: 426, details: "low_version" });
}

const hostBytes = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+;=:[]") {
  hostBytes[char.charCodeAt(0)] = 1;
}

/** A host with an optional port (RFC 9110 §7.2); user information, lists and paths are refused. */
export function checkAuthority(authority: string): void {
  for (let i = 0; i < authority.length; i++) {
    if (hostBytes[authority.charCodeAt(i)] !== 1) throw new Http1Error("a Host with a byte that it may not hold");
  }
}
