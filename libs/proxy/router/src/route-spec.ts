/**
 * What a route table is made of: plain data in the proxy's own words. The runtime translates Envoy's messages into it, a
 * test or another kind of configuration may write it directly.
 */
export interface RouteTableSpec {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHostSpec[];
  /** The port in a Host is not looked at. @default false */
  readonly ignorePort?: boolean;
  readonly mutations?: HeaderMutations;
  /** Header mutations of the route win over those of its virtual host, and those over the table's. @default false: the other way round, as in Envoy */
  readonly mostSpecificMutationsWin?: boolean;
}

export interface VirtualHostSpec {
  readonly name: string;
  /** Exact names, `*.suffix`, `prefix.*` or `*`; each once in a table. */
  readonly domains: readonly string[];
  readonly routes: readonly RouteSpec[];
  readonly mutations?: HeaderMutations;
  /** Sends `x-envoy-attempt-count` to the host. @default false */
  readonly includeAttemptCount?: boolean;
  /** For routes without one of their own. */
  readonly retry?: RetryPolicy;
}

export interface RouteSpec {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly mutations?: HeaderMutations;
}

export interface RouteMatch {
  /** Compared with the path without its query. */
  readonly path: PathMatch;
  /** @default true */
  readonly caseSensitive?: boolean;
  /** All of them must hold. */
  readonly headers?: readonly HeaderMatch[];
  readonly queryParameters?: readonly QueryParameterMatch[];
}

/** `separatedPrefix`: `/a` matches `/a` and `/a/b`, not `/ab`. `regex`: RE2 syntax, the whole path. */
export interface PathMatch {
  readonly kind: "prefix" | "path" | "separatedPrefix" | "regex";
  readonly value: string;
}

export interface StringMatch {
  readonly kind: "exact" | "prefix" | "suffix" | "contains" | "regex";
  readonly value: string;
  /** @default false */
  readonly ignoreCase?: boolean;
}

export interface HeaderMatch {
  /** In lower case; also `:method`, `:path`, `:authority`, `:scheme`. */
  readonly name: string;
  readonly match:
    | StringMatch
    | { readonly kind: "present"; readonly present: boolean }
    /** An integer in [start, end). */
    | { readonly kind: "range"; readonly start: number; readonly end: number };
  /** @default false */
  readonly invert?: boolean;
  /** @default false: a header that is missing does not match, inverted or not */
  readonly missingAsEmpty?: boolean;
}

export interface QueryParameterMatch {
  readonly name: string;
  readonly match: StringMatch | { readonly kind: "present"; readonly present: boolean };
}

export type RouteAction = ForwardAction | RedirectAction | DirectResponseAction;

export interface ForwardAction {
  readonly kind: "forward";
  /** At least one; the sum of weights is not 0. */
  readonly clusters: readonly WeightedCluster[];
  /** From the end of the request to the end of the response, retries included; 0 = none. @default 15000 */
  readonly timeoutMs: number;
  readonly retry?: RetryPolicy | undefined;
  /** Replaces what the path match matched. */
  readonly prefixRewrite?: string | undefined;
  /** RE2; `\1` in the substitution is a group. */
  readonly regexRewrite?: { readonly pattern: string; readonly substitution: string } | undefined;
  readonly hostRewrite?: string | undefined;
  /** Says the host before the rewrite in `x-forwarded-host`. @default false */
  readonly appendForwardedHost?: boolean;
  /** When the cluster does not exist. @default 503 */
  readonly clusterNotFoundStatus: number;
}

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  readonly hostRewrite?: string | undefined;
  readonly mutations?: HeaderMutations | undefined;
}

export interface RedirectAction {
  readonly kind: "redirect";
  readonly status: number;
  readonly scheme?: "http" | "https" | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly prefixRewrite?: string | undefined;
  readonly stripQuery: boolean;
}

export interface DirectResponseAction {
  readonly kind: "direct";
  readonly status: number;
  readonly body: string;
}

export type RetryCondition =
  | "5xx" | "gateway-error" | "reset" | "reset-before-request" | "connect-failure" | "envoy-ratelimited" | "retriable-4xx"
  | "refused-stream" | "retriable-status-codes" | "retriable-headers" | "http3-post-connect-failure"
  | "cancelled" | "deadline-exceeded" | "internal" | "resource-exhausted" | "unavailable"; // prettier-ignore

export const retryConditions: readonly RetryCondition[] = [
  "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx",
  "refused-stream", "retriable-status-codes", "retriable-headers", "http3-post-connect-failure",
  "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
]; // prettier-ignore

export interface RetryPolicy {
  readonly on: ReadonlySet<RetryCondition>;
  /** @default 1 */
  readonly retries: number;
  /** Of one attempt; 0 = none. @default 0 */
  readonly perTryTimeoutMs: number;
  /** The pause before retry n is uniform in [0, min(base · 2ⁿ⁻¹, max)). @default 25 */
  readonly baseIntervalMs: number;
  /** @default 250 */
  readonly maxIntervalMs: number;
  readonly statusCodes: readonly number[];
  /** Of the response, for `retriable-headers`. */
  readonly headers: readonly HeaderMatch[];
  /** Looks for another host than those that failed, this often; 0 = takes any. @default 0 */
  readonly avoidHostsAttempts: number;
}

export interface HeaderMutations {
  readonly request?: HeaderMutation;
  readonly response?: HeaderMutation;
}

export interface HeaderMutation {
  /** Names in lower case. */
  readonly remove: readonly string[];
  readonly add: readonly HeaderAddition[];
}

export interface HeaderAddition {
  readonly name: string;
  readonly value: string;
  readonly action: "append" | "addIfAbsent" | "overwrite" | "overwriteIfExists";
}
