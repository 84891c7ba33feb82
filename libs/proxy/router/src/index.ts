export { canonicalPath, type CanonicalPathOptions } from "./canonical-path.ts";
export { MatchTooLong } from "./regex/bounded-match.ts";
export { RouteEntry } from "./route-entry.ts";
export {
  type DirectResponseAction,
  type ForwardAction,
  type HeaderAddition,
  type HeaderMatch,
  type HeaderMutation,
  type HeaderMutations,
  type PathMatch,
  type QueryParameterMatch,
  type RedirectAction,
  type RetryCondition,
  retryConditions,
  type RetryPolicy,
  type RouteAction,
  type RouteMatch,
  type RouteSpec,
  type RouteTableSpec,
  type StringMatch,
  type VirtualHostSpec,
  type WeightedCluster,
} from "./route-spec.ts";
export { RouteTable } from "./route-table.ts";
