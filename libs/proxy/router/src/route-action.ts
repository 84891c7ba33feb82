import type { FilterOverrides } from "./filter-override.ts";
import type { HeaderMutations } from "./header-mutation.ts";
import type { InternalRedirectPolicy } from "./internal-redirect.ts";
import type { RateLimitSpec } from "./rate-limit-rule.ts";
import type { RetryPolicy } from "./retry-policy.ts";

export type RouteAction = ForwardAction | RedirectAction | DirectResponseAction;

export interface RegexRewrite {
  /** RE2. */
  readonly pattern: string;
  /** `\1` is a group. */
  readonly substitution: string;
}

/** `auto`: the name of the chosen endpoint, where it has one. `pathRegex`: what the rewrite makes of the path. */
export type HostRewrite =
  | { readonly kind: "literal"; readonly host: string }
  | { readonly kind: "auto" }
  | { readonly kind: "header"; readonly name: string }
  | ({ readonly kind: "pathRegex" } & RegexRewrite);

export interface ForwardAction {
  readonly kind: "forward";
  /** At least one, unless `clusterHeader` names the header that says which; the sum of weights is not 0. */
  readonly clusters: readonly WeightedCluster[];
  readonly clusterHeader?: string | undefined;
  /** The header with the number that chooses one of `clusters`, so that others choose as well. @default chance */
  readonly weightHeader?: string | undefined;
  /** The metadata that a host must have, as canonical JSON; for the cluster that `clusterHeader` names. @default any host */
  readonly subset?: ReadonlyMap<string, string> | undefined;
  /** From the end of the request to the end of the response, retries included; 0 = none. @default 15000 */
  readonly timeoutMs: number;
  /** Overrides the listener's time without a byte either way; 0 = none. */
  readonly idleTimeoutMs?: number | undefined;
  /** How long the end of a response may wait for its client, in the place of the listener's time; 0 = any time. */
  readonly flushTimeoutMs?: number | undefined;
  /** From the request's head to the end of the response; 0 = none. */
  readonly maxStreamDurationMs?: number | undefined;
  /** The client's `grpc-timeout`, up to this, takes the place of `maxStreamDurationMs`; 0 = without limit. @default not looked at */
  readonly maxGrpcTimeoutMs?: number | undefined;
  /** Taken off a `grpc-timeout`, so that the answer reaches the client before it gives up. @default 0 */
  readonly grpcTimeoutOffsetMs?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** Has connections and circuit breakers of its own. @default false */
  readonly highPriority?: boolean;
  /** Replaces what the path match matched. */
  readonly prefixRewrite?: string | undefined;
  readonly regexRewrite?: RegexRewrite | undefined;
  readonly hostRewrite?: HostRewrite | undefined;
  /** Says the host before the rewrite in `x-forwarded-host`. @default false */
  readonly appendForwardedHost?: boolean;
  /** When the cluster does not exist. @default 503 */
  readonly clusterNotFoundStatus: number;
  /** What requests may become, in lower case, and whether that is allowed. @default as the listener says */
  readonly upgrades?: ReadonlyMap<string, boolean> | undefined;
  /** CONNECT ends here: its bytes go to the host as they are. @default false: the host gets the CONNECT */
  readonly endsConnect?: boolean;
  readonly mirrors?: readonly MirrorPolicy[];
  /** What requests must have in common to go to the same host. */
  readonly hashPolicies?: readonly HashPolicy[];
  /** @default redirects are for the client */
  readonly internalRedirects?: InternalRedirectPolicy | undefined;
  /** What its requests count as for the filters that limit rates. */
  readonly rateLimits?: readonly RateLimitSpec[];
  /** Those of the virtual host count too, whatever a filter says. @default false */
  readonly includesHostRateLimits?: boolean;
}

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  /** The metadata that a host must have, what the route says included. @default any host */
  readonly subset?: ReadonlyMap<string, string> | undefined;
  readonly hostRewrite?: HostRewrite | undefined;
  readonly mutations?: HeaderMutations | undefined;
  readonly filters?: FilterOverrides | undefined;
}

/** Sends a copy of the request to another cluster; what that answers is dropped. */
export interface MirrorPolicy {
  /** "" = the header says which. */
  readonly cluster: string;
  readonly clusterHeader?: string | undefined;
  /** The share of requests, from 0 to 1. @default 1 */
  readonly fraction: number;
  /** Appends `-shadow` to the host. @default true */
  readonly shadowSuffix: boolean;
}

/** `terminal`: when it found something, those that follow are not looked at. */
export type HashPolicy = { readonly terminal: boolean } & (
  | { readonly kind: "header"; readonly name: string; readonly rewrite?: RegexRewrite | undefined }
  | {
      readonly kind: "cookie";
      readonly name: string;
      /** A client without the cookie gets one that lives so long (0: until it closes); undefined = it gets none. */
      readonly ttlSeconds: number | undefined;
      readonly path: string;
      /** Of a cookie that it gives: `name=value` or `name`. */
      readonly attributes: readonly string[];
    }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "queryParameter"; readonly name: string }
);

export interface RedirectAction {
  readonly kind: "redirect";
  readonly status: number;
  readonly scheme?: "http" | "https" | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly prefixRewrite?: string | undefined;
  readonly regexRewrite?: RegexRewrite | undefined;
  readonly stripQuery: boolean;
}

export interface DirectResponseAction {
  readonly kind: "direct";
  readonly status: number;
  readonly body: string;
  /** The body, where it is not text in UTF-8. @default the text's */
  readonly bytes?: Buffer | undefined;
}
