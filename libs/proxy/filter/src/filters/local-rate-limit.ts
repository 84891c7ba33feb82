import { applyMutation, type HeaderMutation } from "@fairlead/proxy-router";
import { type ConnectionInfo, HeaderMap, type RequestHead } from "@fairlead/proxy-stream";
import type { StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface LocalRateLimitSpec {
  readonly statPrefix: string;
  readonly bucket: { readonly max: number; readonly perFill: number; readonly fillMs: number };
  /** @default 429 */
  readonly status: number;
  /** The share of requests, from 0 to 1, that take a token. @default 0 (Envoy) */
  readonly enabled: number;
  /** The share of requests without a token that are refused. @default 0 (Envoy) */
  readonly enforced: number;
  /** One bucket for each connection of a client, instead of one for all. @default false */
  readonly perConnection: boolean;
  /** Of requests that would have been refused. */
  readonly requestHeaders: HeaderMutation;
  /** Of refusals. */
  readonly responseHeaders: HeaderMutation;
  /** gRPC requests are told RESOURCE_EXHAUSTED instead of UNAVAILABLE. @default false */
  readonly resourceExhausted: boolean;
}

/** A limit with its tokens: who shares the configuration shares them, in all threads. */
export class LocalRateLimit {
  readonly spec: LocalRateLimitSpec;
  readonly #shared: TokenBucket;
  readonly #ofConnection = new WeakMap<ConnectionInfo, TokenBucket>();

  constructor(spec: LocalRateLimitSpec) {
    this.spec = spec;
    this.#shared = new TokenBucket(spec.bucket);
  }

  take(connection: ConnectionInfo, nowMs: number): boolean {
    const { bucket, perConnection } = this.spec;
    if (!perConnection) return this.#shared.take(nowMs);
    const own = this.#ofConnection.get(connection) ?? new TokenBucket(bucket);
    this.#ofConnection.set(connection, own);
    return own.take(nowMs);
  }
}

/** @param limit of the listener; undefined = only routes have one */
export function localRateLimitFilter(limit: LocalRateLimit | undefined, name: string): StreamFilterFactory {
  return (callbacks) => {
    const own = callbacks.override(name)?.config;
    const effective = own instanceof LocalRateLimit ? own : limit;
    if (effective === undefined || callbacks.random() >= effective.spec.enabled) return undefined;
    return { onRequestHead: (head) => (admit(effective, head, callbacks) ? "continue" : "stop") };
  };
}

function admit(limit: LocalRateLimit, head: RequestHead, callbacks: StreamFilterCallbacks): boolean {
  const { spec } = limit;
  const count = (what: string): void => callbacks.count(`${spec.statPrefix}.http_local_rate_limit.${what}`);
  count("enabled");
  if (limit.take(callbacks.connection, callbacks.now())) {
    count("ok");
    return true;
  }
  count("rate_limited");
  if (callbacks.random() >= spec.enforced) {
    applyMutation(spec.requestHeaders, head.headers, callbacks.info);
    return true;
  }
  count("enforced");
  const headers = new HeaderMap();
  applyMutation(spec.responseHeaders, headers, callbacks.info);
  callbacks.sendLocalReply({
    status: spec.status,
    body: "local_rate_limited",
    details: "local_rate_limited",
    flag: "RL",
    headers: headers.fields,
    ...(spec.resourceExhausted ? { grpcStatus: 8 } : {}),
  });
  return false;
}
