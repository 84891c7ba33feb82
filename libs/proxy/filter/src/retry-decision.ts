import type { RateLimitedBackOff, RetryCondition, RetryPolicy, RouteEntry } from "@fairlead/proxy-router";
import type { HeaderMap, ResetReason, ResponseHead } from "@fairlead/proxy-stream";

const grpcConditions: ReadonlyMap<string, RetryCondition> = new Map([
  ["1", "cancelled"],
  ["4", "deadline-exceeded"],
  ["8", "resource-exhausted"],
  ["13", "internal"],
  ["14", "unavailable"],
]);

/** Whether a response head asks for another attempt (Envoy's `retry_on`). */
export function retriesResponse(
  route: RouteEntry,
  policy: RetryPolicy,
  { status, headers, refused }: Pick<ResponseHead, "status" | "headers" | "refused">,
): boolean {
  const { on } = policy;
  if (refused === true && on.has("refused-stream")) return true;
  // A host that is overloaded says so: another attempt would make it worse.
  if (headers.has("x-envoy-overloaded")) return false;
  if (headers.has("x-envoy-ratelimited")) return on.has("envoy-ratelimited");
  if (status >= 500 && on.has("5xx")) return true;
  if (status >= 502 && status <= 504 && on.has("gateway-error")) return true;
  if (status === 409 && on.has("retriable-4xx")) return true;
  if (on.has("retriable-status-codes") && policy.statusCodes.includes(status)) return true;
  if (on.has("retriable-headers")) {
    if (route.retriableHeaders.some((matches) => matches({ headers }))) return true;
    if (policy.presentHeaders?.some((name) => headers.has(name)) === true) return true;
  }
  const condition = grpcConditions.get(headers.get("grpc-status") ?? "");
  return condition !== undefined && on.has(condition);
}

/** The peer says that it has not touched the request. */
const refused: ReadonlySet<string> = new Set(["remote refused stream reset", "local refused stream reset"]);

/** @param requestSent whether a part of the request may have reached the host */
export function retriesReset(policy: RetryPolicy, reason: ResetReason, requestSent: boolean): boolean {
  const { on } = policy;
  if (reason === "overflow") return false;
  if (on.has("5xx") || on.has("gateway-error") || on.has("reset")) return true;
  if (on.has("reset-before-request") && !requestSent) return true;
  if (on.has("refused-stream") && refused.has(reason)) return true;
  return on.has("connect-failure") && isConnectFailure(reason);
}

export function isConnectFailure(reason: ResetReason): boolean {
  return (
    reason === "local connection failure" || reason === "remote connection failure" || reason === "connection timeout"
  );
}

/** Before retry `number` (from 1): uniform in [0, min(base · 2ⁿ⁻¹, max)), so that clients that failed together do not come back together. */
export function backOffMs(policy: RetryPolicy, number: number, random: () => number): number {
  return random() * Math.min(policy.baseIntervalMs * 2 ** (number - 1), policy.maxIntervalMs);
}

/**
 * The pause that a host asks for.
 *
 * @returns undefined when it asks for none, or for one that is too long
 */
export function resetHeaderMs(headers: HeaderMap, backOff: RateLimitedBackOff, now = Date.now): number | undefined {
  for (const { name, format } of backOff.headers) {
    const text = headers.get(name);
    if (text === undefined || !/^\d{1,12}$/.test(text)) continue;
    const ms = format === "seconds" ? Number(text) * 1000 : Number(text) * 1000 - now();
    if (ms > 0 && ms <= backOff.maxIntervalMs) return ms;
  }
  return undefined;
}
