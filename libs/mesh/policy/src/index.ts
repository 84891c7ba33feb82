export { type ParsedPolicies, type ParsedPolicy, parsePolicies } from "./parse-policies.ts";
export { typedPolicy, type TypedPolicy } from "./typed-policy.ts";
export type { DestinationRule, LoadBalancer, Subset } from "./destination-rule.ts";
export { retryConditions } from "./retry-conditions.ts";
export type {
  HttpMatch,
  HttpRoute,
  Retries,
  RouteDestination,
  StringMatch,
  VirtualService,
} from "./virtual-service.ts";
