import {
  type CircuitBreakers as CircuitBreakersMessage,
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js";
import { RoutingPriority } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { type CircuitBreakers, defaultCircuitBreakers } from "@fairlead/proxy-upstream";
import { refuseOthers } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readBreakers(message: CircuitBreakersMessage | undefined): CircuitBreakers {
  if (message === undefined) return defaultCircuitBreakers;
  refuseOthers(CircuitBreakersSchema, message, "circuit_breakers.", ["thresholds", "per_host_thresholds"]);
  let breakers: CircuitBreakers = { ...defaultCircuitBreakers, maxConnectionsPerHost: readPerHost(message) };
  for (const [i, threshold] of message.thresholds.entries()) {
    // Requests of high priority do not exist here: routes refuse to make any.
    if (threshold.priority !== RoutingPriority.DEFAULT) continue;
    refuseOthers(CircuitBreakers_ThresholdsSchema, threshold, `circuit_breakers.thresholds[${i}].`, [
      "max_connections",
      "max_pending_requests",
      "max_requests",
      "max_retries",
      "retry_budget",
      "track_remaining",
    ]);
    const budget = threshold.retryBudget;
    breakers = {
      ...breakers,
      maxConnections: threshold.maxConnections ?? breakers.maxConnections,
      maxPendingRequests: threshold.maxPendingRequests ?? breakers.maxPendingRequests,
      maxRequests: threshold.maxRequests ?? breakers.maxRequests,
      maxRetries: threshold.maxRetries ?? breakers.maxRetries,
      retryBudget:
        budget === undefined
          ? undefined
          : { percent: budget.budgetPercent?.value ?? 20, minConcurrency: budget.minRetryConcurrency ?? 3 },
      trackRemaining: threshold.trackRemaining,
    };
  }
  return breakers;
}

/** As in Envoy only connections are limited for each host. */
function readPerHost({ perHostThresholds }: CircuitBreakersMessage): number | undefined {
  let most: number | undefined;
  for (const [i, threshold] of perHostThresholds.entries()) {
    const where = `circuit_breakers.per_host_thresholds[${i}].`;
    refuseOthers(CircuitBreakers_ThresholdsSchema, threshold, where, ["priority", "max_connections"]);
    if (threshold.priority === RoutingPriority.DEFAULT) most = threshold.maxConnections;
  }
  return most;
}
