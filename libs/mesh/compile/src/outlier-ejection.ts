import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OutlierDetectionSchema } from "@fairlead/envoy-api/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { OutlierDetection } from "@fairlead/policy";
import { durationOf } from "./durations.ts";

const always = 100;
const never = 0;

/** As in Istio: what a policy names is enforced, 0 switches it off; success rates are not looked at. */
export function outlierEjection(policy: OutlierDetection): MessageInitShape<typeof OutlierDetectionSchema> {
  const enforced = (errors: number) => (errors > 0 ? always : never);
  const {
    consecutive5xxErrors: http,
    consecutiveGatewayErrors: gateway,
    consecutiveLocalOriginFailures: local,
  } = policy;
  return {
    enforcingSuccessRate: never,
    // Envoy takes no 0 for the counts themselves.
    ...(http === undefined
      ? {}
      : { enforcingConsecutive5xx: enforced(http), ...(http > 0 ? { consecutive5xx: http } : {}) }),
    ...(gateway === undefined
      ? {}
      : {
          enforcingConsecutiveGatewayFailure: enforced(gateway),
          ...(gateway > 0 ? { consecutiveGatewayFailure: gateway } : {}),
        }),
    ...(policy.splitExternalLocalOriginErrors === undefined
      ? {}
      : { splitExternalLocalOriginErrors: policy.splitExternalLocalOriginErrors }),
    ...(local === undefined
      ? {}
      : {
          enforcingConsecutiveLocalOriginFailure: enforced(local),
          ...(local > 0 ? { consecutiveLocalOriginFailure: local } : {}),
        }),
    ...(policy.interval === undefined ? {} : { interval: durationOf(policy.interval) }),
    ...(policy.baseEjectionTime === undefined ? {} : { baseEjectionTime: durationOf(policy.baseEjectionTime) }),
    ...(policy.maxEjectionPercent === undefined ? {} : { maxEjectionPercent: policy.maxEjectionPercent }),
  };
}
