import { compileRegexRewrite, type HashPolicy } from "@fairlead/proxy-router";
import type { RequestHead } from "@fairlead/proxy-stream";
import { xxHash64 } from "@fairlead/proxy-upstream";
import type { StreamInfo } from "./stream-info.ts";

const MASK = (1n << 64n) - 1n;

/** What requests to the same host have in common, and the cookie that a client without one is to get. */
export interface HashKey {
  readonly hash: bigint | undefined;
  readonly setCookie: string | undefined;
}

/** As Envoy combines policies: each hash is mixed into the ones before, turned by one bit. @throws MatchTooLong */
export function hashKeyOf(policies: readonly HashPolicy[], head: RequestHead, info: StreamInfo): HashKey {
  let hash: bigint | undefined;
  let setCookie: string | undefined;
  for (const policy of policies) {
    const found = evaluate(policy, head, info);
    setCookie = found?.setCookie ?? setCookie;
    if (found !== undefined) {
      const before = hash === undefined ? 0n : ((hash << 1n) | (hash >> 63n)) & MASK;
      hash = before ^ xxHash64(found.text);
    }
    if (policy.terminal && hash !== undefined) break;
  }
  return { hash, setCookie };
}

function evaluate(
  policy: HashPolicy,
  head: RequestHead,
  info: StreamInfo,
): { readonly text: string; readonly setCookie?: string } | undefined {
  switch (policy.kind) {
    case "header": {
      const value = headerValue(policy.name, head);
      if (value === undefined) return undefined;
      return { text: policy.rewrite === undefined ? value : rewriteOf(policy.rewrite)(value) };
    }
    case "cookie": {
      const value = cookieValue(policy.name, head);
      if (value !== undefined) return { text: value };
      if (policy.ttlSeconds === undefined) return undefined;
      // The same for all requests of a connection that race for it.
      const { remoteAddress, remotePort, localAddress, localPort } = info.connection;
      const text = xxHash64(`${remoteAddress}:${remotePort}${localAddress}:${localPort}`)
        .toString(16)
        .padStart(16, "0");
      return { text, setCookie: cookie(policy, text) };
    }
    case "sourceIp":
      return info.clientAddress === "" ? undefined : { text: info.clientAddress };
    default: {
      const value = queryValue(policy.name, head.path);
      return value === undefined ? undefined : { text: value };
    }
  }
}

function cookie(policy: Extract<HashPolicy, { kind: "cookie" }>, value: string): string {
  const parts = [`${policy.name}="${value}"`];
  if (policy.ttlSeconds !== undefined && policy.ttlSeconds > 0) parts.push(`Max-Age=${policy.ttlSeconds}`);
  if (policy.path !== "") parts.push(`Path=${policy.path}`);
  return [...parts, ...policy.attributes, "HttpOnly"].join("; ");
}

/** Several headers of a name count without their order. */
function headerValue(name: string, head: RequestHead): string | undefined {
  if (name === ":authority" || name === "host") return head.authority;
  if (name === ":path") return head.path;
  if (name === ":method") return head.method;
  const { fields } = head.headers;
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1] ?? "");
  return values.length === 0 ? undefined : values.toSorted().join("");
}

function cookieValue(name: string, head: RequestHead): string | undefined {
  for (const pair of (head.headers.getJoined("cookie") ?? "").split(/[;,]/)) {
    const equals = pair.indexOf("=");
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    return pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

function queryValue(name: string, path: string): string | undefined {
  const mark = path.indexOf("?");
  if (mark === -1) return undefined;
  for (const part of path.slice(mark + 1).split("&")) {
    const equals = part.indexOf("=");
    if ((equals === -1 ? part : part.slice(0, equals)) === name) return equals === -1 ? "" : part.slice(equals + 1);
  }
  return undefined;
}

const rewrites = new WeakMap<object, (text: string) => string>();

function rewriteOf(rewrite: { readonly pattern: string; readonly substitution: string }): (text: string) => string {
  const known =
    rewrites.get(rewrite) ?? compileRegexRewrite(rewrite.pattern, rewrite.substitution, "hash_policy.regex_rewrite");
  rewrites.set(rewrite, known);
  return known;
}
