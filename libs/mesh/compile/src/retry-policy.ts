import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type RetryPolicy, RetryPolicySchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { PreviousHostsPredicateSchema } from "@fairlead/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import type { Retries } from "@fairlead/policy";
import { durationOf } from "./durations.ts";

/** Istio's: what may be repeated without knowing whether the call had an effect. */
const defaultRetryOn = "connect-failure,refused-stream,unavailable,cancelled,reset-before-request";
const defaultRetries = 2;
/** How often another host is picked when the balancer gives one that was tried before. */
const hostSelectionAttempts = 5n;
/** As Istio: a priority is left after two attempts in it. */
const priorityUpdateFrequency = 2;

const previousHosts = {
  name: "envoy.retry_host_predicates.previous_hosts",
  configType: {
    case: "typedConfig" as const,
    value: anyPack(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)),
  },
};

function previousPriorities() {
  const config = create(PreviousPrioritiesConfigSchema, { updateFrequency: priorityUpdateFrequency });
  return {
    name: "envoy.retry_priorities.previous_priorities",
    configType: { case: "typedConfig" as const, value: anyPack(PreviousPrioritiesConfigSchema, config) },
  };
}

/**
 * @param retries undefined = Istio's default
 * @param hashed the destination balances by hash: another host than the key's would defeat it
 * @returns undefined = no repetition
 */
export function retryPolicy(retries: Retries | undefined, hashed = false): RetryPolicy | undefined {
  if (retries?.attempts === 0) return undefined;
  const { conditions, statusCodes } = retries?.retryOn ?? { conditions: [], statusCodes: [] };
  const named = [...conditions, ...(statusCodes.length > 0 ? ["retriable-status-codes"] : [])];
  const otherHost = !hashed && (retries?.retryIgnorePreviousHosts ?? true);
  return create(RetryPolicySchema, {
    retryOn: named.length === 0 ? defaultRetryOn : named.join(","),
    numRetries: retries?.attempts ?? defaultRetries,
    retriableStatusCodes: statusCodes,
    ...(otherHost ? { hostSelectionRetryMaxAttempts: hostSelectionAttempts, retryHostPredicate: [previousHosts] } : {}),
    ...(retries?.retryRemoteLocalities === true ? { retryPriority: previousPriorities() } : {}),
    ...(retries?.perTryTimeout === undefined ? {} : { perTryTimeout: durationOf(retries.perTryTimeout) }),
    ...(retries?.backoff === undefined ? {} : { retryBackOff: { baseInterval: durationOf(retries.backoff) } }),
  });
}
