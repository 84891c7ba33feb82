import type { HeaderMatch } from "./route-match.ts";

export type RetryCondition =
  | "5xx" | "gateway-error" | "reset" | "reset-before-request" | "connect-failure" | "envoy-ratelimited" | "retriable-4xx"
  | "refused-stream" | "retriable-status-codes" | "retriable-headers" | "http3-post-connect-failure"
  | "cancelled" | "deadline-exceeded" | "internal" | "resource-exhausted" | "unavailable"; // prettier-ignore

export const httpRetryConditions: readonly RetryCondition[] = [
  "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx",
  "refused-stream", "retriable-status-codes", "retriable-headers", "http3-post-connect-failure",
]; // prettier-ignore

export const grpcRetryConditions: readonly RetryCondition[] = [
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];

export const retryConditions: readonly RetryCondition[] = [...httpRetryConditions, ...grpcRetryConditions];

export interface RetryPolicy {
  readonly on: ReadonlySet<RetryCondition>;
  /** @default 1 */
  readonly retries: number;
  /** Of one attempt; 0 = none. @default 0 */
  readonly perTryTimeoutMs: number;
  /** Between two pieces of an attempt's response; 0 = none. @default 0 */
  readonly perTryIdleTimeoutMs: number;
  /** The pause before retry n is uniform in [0, min(base · 2ⁿ⁻¹, max)). @default 25 */
  readonly baseIntervalMs: number;
  /** @default 250 */
  readonly maxIntervalMs: number;
  readonly statusCodes: readonly number[];
  /** Of the response, for `retriable-headers`. */
  readonly headers: readonly HeaderMatch[];
  /** In lower case: as `headers`, whatever their values are. @default none */
  readonly presentHeaders?: readonly string[];
  /** Of the request: when there are any, one must match, or nothing is retried. */
  readonly requestHeaders: readonly HeaderMatch[];
  /** Looks for a host that is not to be avoided, this often; 0 = takes any. @default 0 */
  readonly avoidHostsAttempts: number;
  /** Hosts that failed are avoided. @default false */
  readonly avoidsFailedHosts: boolean;
  /** Hosts that have all the metadata of one of these, as canonical JSON, are avoided. @default none */
  readonly avoidMetadata: readonly ReadonlyMap<string, string>[];
  /** After so many attempts the priorities that were tried are left out; 0 = they never are. @default 0 */
  readonly avoidPrioritiesAfter: number;
  /** The pause that a host asks for with one of these headers wins over the back-off, when it is not longer than `maxIntervalMs`. */
  readonly rateLimited: RateLimitedBackOff | undefined;
}

export interface RateLimitedBackOff {
  /** In lower case; the first one that can be read counts. `seconds`: how long; `unixTime`: until when, in seconds since 1970. */
  readonly headers: readonly { readonly name: string; readonly format: "seconds" | "unixTime" }[];
  /** @default 300000 */
  readonly maxIntervalMs: number;
}

/** What a policy has that says only what to retry on. */
export const retryDefaults: Omit<RetryPolicy, "on"> = {
  retries: 1,
  perTryTimeoutMs: 0,
  perTryIdleTimeoutMs: 0,
  baseIntervalMs: 25,
  maxIntervalMs: 250,
  statusCodes: [],
  headers: [],
  requestHeaders: [],
  avoidHostsAttempts: 0,
  avoidsFailedHosts: false,
  avoidMetadata: [],
  avoidPrioritiesAfter: 0,
  rateLimited: undefined,
};
