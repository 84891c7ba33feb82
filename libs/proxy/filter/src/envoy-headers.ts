import {
  grpcRetryConditions,
  httpRetryConditions,
  type RetryCondition,
  retryDefaults,
  type RetryPolicy,
} from "@fairlead/proxy-router";
import type { HeaderMap } from "@fairlead/proxy-stream";
import { CLIENT_CERTIFICATE } from "./rules/client-certificate.ts";

/** What a caller may ask of the proxy, if it is one of ours (Envoy's names). */
const controls: ReadonlySet<string> = new Set([
  "x-envoy-max-retries",
  "x-envoy-retry-on",
  "x-envoy-retry-grpc-on",
  "x-envoy-retriable-status-codes",
  "x-envoy-retriable-header-names",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-upstream-stream-duration-ms",
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-force-trace",
  "x-envoy-decorator-operation",
  "x-envoy-internal",
  "x-envoy-ip-tags",
  "x-envoy-original-host",
  "x-envoy-original-path",
  "x-envoy-original-url",
]);

/** Takes away what a stranger may not ask for, or say of itself. One pass: nearly no request has any. */
export function removeControlHeaders(headers: HeaderMap, removesClientCertificate: boolean): void {
  const { fields } = headers;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const third = name.charCodeAt(2);
    if (third !== 101 && third !== 102) continue;
    const forbidden =
      third === 101
        ? name.startsWith("x-envoy-") && controls.has(name)
        : removesClientCertificate && name === CLIENT_CERTIFICATE;
    if (!forbidden) continue;
    headers.remove(name);
    i -= 2;
  }
}

/** What the headers of a request make of its route's policy. */
export interface RequestWishes {
  /** undefined = as the route says */
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly streamDurationMs: number | undefined;
  /** A time-out is answered with 204. */
  readonly altResponse: boolean;
}

/** @returns undefined when the request wishes for nothing */
export function readWishes(
  headers: HeaderMap,
  policy: RetryPolicy | undefined,
  respectsExpected: boolean,
): RequestWishes | undefined {
  const { fields } = headers;
  let any = false;
  for (let i = 0; i < fields.length && !any; i += 2) {
    const name = fields[i]!;
    any = name.charCodeAt(2) === 101 && name.startsWith("x-envoy-") && controls.has(name);
  }
  if (!any) return undefined;
  const wishes: RequestWishes = {
    timeoutMs:
      (respectsExpected ? readNumber(headers, "x-envoy-expected-rq-timeout-ms") : undefined) ??
      readNumber(headers, "x-envoy-upstream-rq-timeout-ms"),
    retry: readRetry(headers, policy),
    streamDurationMs: readNumber(headers, "x-envoy-upstream-stream-duration-ms"),
    altResponse: headers.has("x-envoy-upstream-rq-timeout-alt-response"),
  };
  // They were for this proxy, not for the host.
  for (const name of controls)
    if (!name.startsWith("x-envoy-original") && name !== "x-envoy-internal") headers.remove(name);
  return wishes;
}

function readRetry(headers: HeaderMap, policy: RetryPolicy | undefined): RetryPolicy | undefined {
  const on = new Set<RetryCondition>([
    ...conditionsIn(headers.get("x-envoy-retry-on"), httpRetryConditions),
    ...conditionsIn(headers.get("x-envoy-retry-grpc-on"), grpcRetryConditions),
  ]);
  const perTryTimeoutMs = readNumber(headers, "x-envoy-upstream-rq-per-try-timeout-ms");
  const retries = readNumber(headers, "x-envoy-max-retries");
  const statusCodes = wordsIn(headers.get("x-envoy-retriable-status-codes"))
    .map(Number)
    .filter((code) => code > 0);
  const presentHeaders = wordsIn(headers.get("x-envoy-retriable-header-names")).map((name) => name.toLowerCase());
  if (on.size === 0 && policy === undefined) return undefined;
  const base: RetryPolicy = policy ?? { ...retryDefaults, on };
  return {
    ...base,
    on: new Set([...base.on, ...on]),
    ...(retries === undefined ? {} : { retries: Math.min(retries, MAX_WISHED_RETRIES) }),
    ...(perTryTimeoutMs === undefined ? {} : { perTryTimeoutMs }),
    statusCodes: [...base.statusCodes, ...statusCodes],
    presentHeaders,
  };
}

function conditionsIn(text: string | undefined, known: readonly RetryCondition[]): RetryCondition[] {
  const words = wordsIn(text);
  return known.filter((condition) => words.includes(condition));
}

function wordsIn(text = ""): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

const MAX_WISHED_RETRIES = 25;

function readNumber(headers: HeaderMap, name: string): number | undefined {
  const text = headers.get(name);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
