export { canonicalPath, type CanonicalPathOptions } from "./canonical-path.ts";
export { compileHeader, compileString, type HeaderTest, isGrpc } from "./compile-match.ts";
export { type FilterOverride, type FilterOverrides, noOverrides } from "./filter-override.ts";
export {
  applyMutation,
  type HeaderAddition,
  type HeaderMutation,
  type HeaderMutations,
  type HeaderTemplate,
} from "./header-mutation.ts";
export { type InternalRedirectPolicy } from "./internal-redirect.ts";
export {
  compileRateLimits,
  descriptorEntry,
  type RateLimitAction,
  type RateLimitFacts,
  type RateLimitRule,
  type RateLimitSpec,
} from "./rate-limit-rule.ts";
export { compileRegexRewrite } from "./regex-rewrite.ts";
export type { ResourceMetadata, RouteMetadata } from "./resource-metadata.ts";
export { MatchTooLong } from "./regex/bounded-match.ts";
export {
  type RateLimitedBackOff,
  type RetryCondition,
  grpcRetryConditions,
  httpRetryConditions,
  retryConditions,
  retryDefaults,
  type RetryPolicy,
} from "./retry-policy.ts";
export {
  type DirectResponseAction,
  type ForwardAction,
  type HashPolicy,
  type HostRewrite,
  type MirrorPolicy,
  type RedirectAction,
  type RegexRewrite,
  type RouteAction,
  type WeightedCluster,
} from "./route-action.ts";
export { RouteEntry } from "./route-entry.ts";
export {
  type HeaderMatch,
  type PathMatch,
  type QueryParameterMatch,
  type RouteMatch,
  type StringMatch,
} from "./route-match.ts";
export { type RouteSpec, type RouteTableSpec, type VirtualHostSpec } from "./route-spec.ts";
export { RouteTable } from "./route-table.ts";
export type { VirtualCluster, VirtualClusterSpec } from "./virtual-cluster.ts";
