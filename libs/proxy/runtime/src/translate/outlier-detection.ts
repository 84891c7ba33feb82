import {
  type OutlierDetection as OutlierMessage,
  OutlierDetectionSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/outlier_detection_pb.js";
import { type OutlierDetection, outlierDefaults as defaults } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readOutlierDetection(message: OutlierMessage | undefined): OutlierDetection | undefined {
  if (message === undefined) return undefined;
  const where = "outlier_detection.";
  // Those of the local origin that are about rates: with split errors only rates of responses are looked at.
  refuseOthers(OutlierDetectionSchema, message, where, [
    "consecutive_5xx",
    "interval",
    "base_ejection_time",
    "max_ejection_percent",
    "enforcing_consecutive_5xx",
    "enforcing_success_rate",
    "success_rate_minimum_hosts",
    "success_rate_request_volume",
    "success_rate_stdev_factor",
    "consecutive_gateway_failure",
    "enforcing_consecutive_gateway_failure",
    "split_external_local_origin_errors",
    "consecutive_local_origin_failure",
    "enforcing_consecutive_local_origin_failure",
    "failure_percentage_threshold",
    "enforcing_failure_percentage",
    "failure_percentage_minimum_hosts",
    "failure_percentage_request_volume",
    "max_ejection_time",
    "max_ejection_time_jitter",
    "always_eject_one_host",
    ...(message.enforcingLocalOriginSuccessRate === 0 ? ["enforcing_local_origin_success_rate"] : []),
    ...(message.enforcingFailurePercentageLocalOrigin === 0 ? ["enforcing_failure_percentage_local_origin"] : []),
    "successful_active_health_check_uneject_host",
  ]);
  const intervalMs = durationMs(message.interval, defaults.intervalMs, `${where}interval`);
  if (intervalMs === 0) throw rejection(`${where}interval`, "is 0");
  const baseEjectionMs = durationMs(message.baseEjectionTime, defaults.baseEjectionMs, `${where}base_ejection_time`);
  return {
    intervalMs,
    baseEjectionMs,
    maxEjectionMs: durationMs(message.maxEjectionTime, defaults.maxEjectionMs, `${where}max_ejection_time`),
    maxJitterMs: durationMs(message.maxEjectionTimeJitter, 0, `${where}max_ejection_time_jitter`),
    maxEjectionPercent: message.maxEjectionPercent ?? defaults.maxEjectionPercent,
    alwaysEjectOne: message.alwaysEjectOneHost ?? false,
    consecutive5xx: {
      count: message.consecutive5xx ?? 5,
      enforcingPercent: message.enforcingConsecutive5xx ?? 100,
    },
    consecutiveGatewayFailure: {
      count: message.consecutiveGatewayFailure ?? 5,
      enforcingPercent: message.enforcingConsecutiveGatewayFailure ?? 0,
    },
    consecutiveLocalOriginFailure: {
      count: message.consecutiveLocalOriginFailure ?? 5,
      enforcingPercent: message.enforcingConsecutiveLocalOriginFailure ?? 100,
    },
    unejectsByCheck: message.successfulActiveHealthCheckUnejectHost ?? true,
    splitLocalOrigin: message.splitExternalLocalOriginErrors,
    successRate: {
      minHosts: message.successRateMinimumHosts ?? defaults.successRate.minHosts,
      minRequests: message.successRateRequestVolume ?? defaults.successRate.minRequests,
      stdevFactor: (message.successRateStdevFactor ?? 1900) / 1000,
      enforcingPercent: message.enforcingSuccessRate ?? 100,
    },
    failurePercentage: {
      minHosts: message.failurePercentageMinimumHosts ?? defaults.failurePercentage.minHosts,
      minRequests: message.failurePercentageRequestVolume ?? defaults.failurePercentage.minRequests,
      thresholdPercent: message.failurePercentageThreshold ?? defaults.failurePercentage.thresholdPercent,
      enforcingPercent: message.enforcingFailurePercentage ?? 0,
    },
  };
}
