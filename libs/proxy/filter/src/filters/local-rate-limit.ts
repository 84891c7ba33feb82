import { applyMutation, type HeaderMutation, type RateLimitRule } from "@fairlead/proxy-router";
import { type ConnectionInfo, HeaderMap, type RequestHead, type ResponseHead } from "@fairlead/proxy-stream";
import type { FilterStatus, StreamFilter, StreamFilterCallbacks, StreamFilterFactory } from "../stream-filter.ts";
import { LimitBuckets, type LimitSpec, type LimitVerdict } from "./limit-buckets.ts";

export interface LocalRateLimitSpec extends LimitSpec {
  readonly statPrefix: string;
  /** @default 429 */
  readonly status: number;
  /** The share of requests, from 0 to 1, that take a token. @default 0 (Envoy) */
  readonly enabled: number;
  /** The share of requests without a token that are refused. @default 0 (Envoy) */
  readonly enforced: number;
  /** Buckets of each connection of a client, instead of some for all. @default false */
  readonly perConnection: boolean;
  /** Of requests that would have been refused. */
  readonly requestHeaders: HeaderMutation;
  /** Of refusals. */
  readonly responseHeaders: HeaderMutation;
  /** gRPC requests are told RESOURCE_EXHAUSTED instead of UNAVAILABLE. @default false */
  readonly resourceExhausted: boolean;
  /** The stage of the routes' rate limits that it takes. @default 0 */
  readonly stage?: number;
  /** Those of the virtual host: where the route has none; also; never. @default "override" */
  readonly hostRules?: "override" | "include" | "ignore";
  /** Tells clients in `x-ratelimit-limit`, `-remaining` and `-reset` (seconds). @default false */
  readonly tellsClients?: boolean;
}

/** A limit with its tokens: who shares the configuration shares them, in all threads. */
export class LocalRateLimit {
  readonly spec: LocalRateLimitSpec;
  readonly #shared: LimitBuckets;
  readonly #ofConnection = new WeakMap<ConnectionInfo, LimitBuckets>();

  constructor(spec: LocalRateLimitSpec) {
    this.spec = spec;
    this.#shared = new LimitBuckets(spec);
  }

  /** Whether what routes say about requests, or how much is left, is asked for. */
  get simple(): boolean {
    const { descriptors, tellsClients } = this.spec;
    return tellsClients !== true && (descriptors === undefined || descriptors.size === 0);
  }

  bucketsOf(connection: ConnectionInfo): LimitBuckets {
    if (!this.spec.perConnection) return this.#shared;
    const own = this.#ofConnection.get(connection) ?? new LimitBuckets(this.spec);
    this.#ofConnection.set(connection, own);
    return own;
  }
}

/** @param limit of the listener; undefined = only routes have one */
export function localRateLimitFilter(limit: LocalRateLimit | undefined, name: string): StreamFilterFactory {
  return (callbacks) => {
    const own = callbacks.override(name)?.config;
    const effective = own instanceof LocalRateLimit ? own : limit;
    if (effective === undefined || callbacks.random() >= effective.spec.enabled) return undefined;
    if (!effective.simple) return new DescribedLimit(effective, callbacks);
    return {
      onRequestHead: (head) => {
        const allowed = effective.bucketsOf(callbacks.connection).take(callbacks.now());
        return admit(effective.spec, allowed, head, callbacks);
      },
    };
  };
}

/** One request, with what its route says about it. */
class DescribedLimit implements StreamFilter {
  readonly #limit: LocalRateLimit;
  readonly #callbacks: StreamFilterCallbacks;
  #verdict: LimitVerdict | undefined;

  constructor(limit: LocalRateLimit, callbacks: StreamFilterCallbacks) {
    this.#limit = limit;
    this.#callbacks = callbacks;
  }

  /** @throws MatchTooLong */
  onRequestHead(head: RequestHead): FilterStatus {
    const { connection } = this.#callbacks;
    const descriptors = describe(this.#limit.spec, head, this.#callbacks);
    this.#verdict = this.#limit.bucketsOf(connection).takeFor(descriptors, this.#callbacks.now());
    return admit(this.#limit.spec, this.#verdict.allowed, head, this.#callbacks);
  }

  onResponseHead({ headers }: ResponseHead): void {
    if (this.#limit.spec.tellsClients !== true || this.#verdict === undefined) return;
    const { bucket } = this.#verdict;
    headers.set("x-ratelimit-limit", String(bucket.max));
    headers.set("x-ratelimit-remaining", String(bucket.left));
    headers.set("x-ratelimit-reset", String(Math.ceil(bucket.msToFill(this.#callbacks.now()) / 1000)));
  }
}

/** What the request counts as, as its route and virtual host say. */
function describe(spec: LocalRateLimitSpec, head: RequestHead, callbacks: StreamFilterCallbacks): string[] {
  const { route, info, target } = callbacks;
  if (route?.action.kind !== "forward") return [];
  const facts = { clientAddress: info.clientAddress, cluster: target?.name ?? "" };
  const { stage = 0 } = spec;
  const found: string[] = [];
  const add = (rules: readonly RateLimitRule[]): void => {
    for (const rule of rules) {
      const descriptor = rule.stage === stage ? rule.describe(head, facts) : undefined;
      if (descriptor !== undefined) found.push(descriptor);
    }
  };
  add(route.rateLimits);
  const ofHost = route.action.includesHostRateLimits === true ? "include" : (spec.hostRules ?? "override");
  if (ofHost === "include" || (ofHost === "override" && route.rateLimits.length === 0)) add(route.hostRateLimits);
  return found;
}

function admit(
  spec: LocalRateLimitSpec,
  allowed: boolean,
  head: RequestHead,
  callbacks: StreamFilterCallbacks,
): FilterStatus {
  const count = (what: string): void => callbacks.count(`${spec.statPrefix}.http_local_rate_limit.${what}`);
  count("enabled");
  if (allowed) {
    count("ok");
    return "continue";
  }
  count("rate_limited");
  if (callbacks.random() >= spec.enforced) {
    applyMutation(spec.requestHeaders, head.headers, callbacks.info);
    return "continue";
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
  return "stop";
}
