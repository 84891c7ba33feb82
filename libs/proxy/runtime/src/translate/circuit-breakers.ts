import {
  type CircuitBreakers as CircuitBreakersMessage,
  type CircuitBreakers_Thresholds,
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js";
import { RoutingPriority } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import {
  type CircuitBreakers,
  type ClusterConfig,
  defaultCircuitBreakers,
  defaultHighCircuitBreakers,
  HostConnections,
} from "@fairlead/proxy-upstream";
import { refuseOthers } from "./rejection.ts";

type Breakers = Pick<ClusterConfig, "circuitBreakers" | "highCircuitBreakers" | "hostConnections">;

/** @throws FairleadError FL_XDS_REJECTED */
export function readBreakers(message: CircuitBreakersMessage | undefined): Breakers {
  if (message === undefined)
    return { circuitBreakers: defaultCircuitBreakers, highCircuitBreakers: defaultHighCircuitBreakers };
  refuseOthers(CircuitBreakersSchema, message, "circuit_breakers.", ["thresholds", "per_host_thresholds"]);
  for (const [i, threshold] of message.thresholds.entries()) {
    refuseOthers(CircuitBreakers_ThresholdsSchema, threshold, `circuit_breakers.thresholds[${i}].`, [
      "priority",
      "max_connections",
      "max_pending_requests",
      "max_requests",
      "max_retries",
      "retry_budget",
      "track_remaining",
    ]);
  }
  // As in Envoy only connections are limited for each host.
  for (const [i, threshold] of message.perHostThresholds.entries()) {
    const where = `circuit_breakers.per_host_thresholds[${i}].`;
    refuseOthers(CircuitBreakers_ThresholdsSchema, threshold, where, ["priority", "max_connections"]);
  }
  return {
    circuitBreakers: ofPriority(message, RoutingPriority.DEFAULT, defaultCircuitBreakers),
    highCircuitBreakers: ofPriority(message, RoutingPriority.HIGH, defaultHighCircuitBreakers),
    hostConnections: message.perHostThresholds.length === 0 ? undefined : new HostConnections(),
  };
}

/** The first of each list counts, as in Envoy. */
function ofPriority(
  { thresholds, perHostThresholds }: CircuitBreakersMessage,
  priority: RoutingPriority,
  defaults: CircuitBreakers,
): CircuitBreakers {
  const isOf = (threshold: CircuitBreakers_Thresholds): boolean => threshold.priority === priority;
  const maxConnectionsPerHost = perHostThresholds.find(isOf)?.maxConnections;
  const threshold = thresholds.find(isOf);
  if (threshold === undefined) return { ...defaults, maxConnectionsPerHost };
  const budget = threshold.retryBudget;
  return {
    ...defaults,
    maxConnectionsPerHost,
    maxConnections: threshold.maxConnections ?? defaults.maxConnections,
    maxPendingRequests: threshold.maxPendingRequests ?? defaults.maxPendingRequests,
    maxRequests: threshold.maxRequests ?? defaults.maxRequests,
    maxRetries: threshold.maxRetries ?? defaults.maxRetries,
    retryBudget:
      budget === undefined
        ? undefined
        : { percent: budget.budgetPercent?.value ?? 20, minConcurrency: budget.minRetryConcurrency ?? 3 },
    trackRemaining: threshold.trackRemaining,
  };
}
