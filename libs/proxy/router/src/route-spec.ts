import type { FilterOverrides } from "./filter-override.ts";
import type { HeaderMutations } from "./header-mutation.ts";
import type { RateLimitSpec } from "./rate-limit-rule.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { MirrorPolicy, RouteAction } from "./route-action.ts";
import type { ResourceMetadata } from "./resource-metadata.ts";
import type { RouteMatch } from "./route-match.ts";
import type { VirtualClusterSpec } from "./virtual-cluster.ts";

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
  readonly filters?: FilterOverrides;
  /** For virtual hosts without one of their own. */
  readonly mirrors?: readonly MirrorPolicy[];
  /** In lower case: taken away from requests that come from outside. */
  readonly internalOnlyHeaders?: readonly string[];
  /** Header mutations of the route win over those of its virtual host, and those over the table's. @default false: the other way round, as in Envoy */
  readonly mostSpecificMutationsWin?: boolean;
}

export interface VirtualHostSpec {
  readonly name: string;
  /** Exact names, `*.suffix`, `prefix.*` or `*`; each once in a table. */
  readonly domains: readonly string[];
  readonly routes: readonly RouteSpec[];
  readonly mutations?: HeaderMutations;
  readonly filters?: FilterOverrides;
  /** Requests that did not come over TLS are redirected to https. @default false */
  readonly requireTls?: boolean;
  /** Sends `x-envoy-attempt-count` to the host. @default false */
  readonly includeAttemptCount?: boolean;
  /** Sends `x-envoy-attempt-count` to the client. @default false */
  readonly includeAttemptCountInResponse?: boolean;
  /** Tells hosts with `x-envoy-is-timeout-retry` whether an attempt follows one that took too long. @default false */
  readonly includeTimeoutRetry?: boolean;
  /** For routes without one of their own. */
  readonly bufferLimitBytes?: number | undefined;
  /** For routes without one of their own. */
  readonly mirrors?: readonly MirrorPolicy[];
  /** For routes without one of their own. */
  readonly retry?: RetryPolicy;
  /** For routes without one of their own, those that include them, and filters that say so. */
  readonly rateLimits?: readonly RateLimitSpec[];
  /** The first that matches takes a request. */
  readonly virtualClusters?: readonly VirtualClusterSpec[];
  /** For logs and header values. */
  readonly metadata?: ResourceMetadata | undefined;
}

export interface RouteSpec {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** Bytes of a request's body that are kept for another attempt. @default 1048576 */
  readonly bufferLimitBytes?: number | undefined;
  readonly mutations?: HeaderMutations;
  readonly filters?: FilterOverrides;
  /** For logs and header values. */
  readonly metadata?: ResourceMetadata | undefined;
}
