import type { ForwardAction, RetryPolicy, RouteEntry } from "@fairlead/proxy-router";
import type { RequestHead } from "@fairlead/proxy-stream";
import { readWishes } from "./envoy-headers.ts";
import { hashKeyOf } from "./hash-key.ts";
import type { StreamInfo } from "./stream-info.ts";

/** How a request is forwarded: what its route says, unless it comes from inside and wishes otherwise. */
export interface ForwardPlan {
  /** Of the whole; 0 = none. */
  readonly timeoutMs: number;
  /** Of an attempt; 0 = none. */
  readonly perTryMs: number;
  /** undefined when it is not tried again. */
  readonly retry: RetryPolicy | undefined;
  /** Of an attempt with its response; undefined = as the cluster says. */
  readonly streamDurationMs: number | undefined;
  /** A time-out is answered with 204. */
  readonly altResponse: boolean;
  readonly hash: bigint | undefined;
  /** For a client that is to be known again. */
  readonly setCookie: string | undefined;
}

/** Takes the wishes out of the head. @throws MatchTooLong */
export function planForward(
  route: RouteEntry,
  action: ForwardAction,
  head: RequestHead,
  info: StreamInfo,
  respectsExpectedTimeout: boolean,
): ForwardPlan {
  const wishes = head.headers.has("x-envoy-internal")
    ? readWishes(head.headers, route.retry, respectsExpectedTimeout)
    : undefined;
  const timeoutMs = wishes?.timeoutMs ?? action.timeoutMs;
  const policy = wishes === undefined ? route.retry : wishes.retry;
  const { retriableRequestHeaders: wanted } = route;
  const retry = wanted.length === 0 || wanted.some((matches) => matches(head)) ? policy : undefined;
  const perTryMs = retry?.perTryTimeoutMs ?? 0;
  const key = action.hashPolicies?.length ? hashKeyOf(action.hashPolicies, head, info) : undefined;
  return {
    timeoutMs,
    // One that is as long as the whole has no effect, as in Envoy.
    perTryMs: timeoutMs > 0 && perTryMs >= timeoutMs ? 0 : perTryMs,
    retry,
    streamDurationMs: wishes?.streamDurationMs,
    altResponse: wishes?.altResponse === true,
    hash: key?.hash,
    setCookie: key?.setCookie,
  };
}

/** So that the host does not work on what nobody waits for. */
export function addExpectedTimeout(head: RequestHead, { timeoutMs, perTryMs }: ForwardPlan): void {
  const ms = perTryMs > 0 ? perTryMs : timeoutMs;
  if (ms > 0) head.headers.set("x-envoy-expected-rq-timeout-ms", String(Math.trunc(ms)));
}
