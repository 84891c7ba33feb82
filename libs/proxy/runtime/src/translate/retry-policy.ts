import {
  type RetryPolicy as RetryPolicyMessage,
  RetryPolicySchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { type RetryCondition, retryConditions, type RetryPolicy } from "@fairlead/proxy-router";
import { durationMs } from "./duration.ts";
import { readHeader } from "./matchers.ts";
import { refuseOthers, rejection } from "./rejection.ts";

const PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";

/** @throws FairleadError FL_XDS_REJECTED */
export function readRetryPolicy(message: RetryPolicyMessage | undefined, where: string): RetryPolicy | undefined {
  if (message === undefined) return undefined;
  refuseOthers(RetryPolicySchema, message, `${where}.`, [
    "retry_on",
    "num_retries",
    "per_try_timeout",
    "retry_host_predicate",
    "host_selection_retry_max_attempts",
    "retriable_status_codes",
    "retry_back_off",
    "retriable_headers",
  ]);
  const baseIntervalMs = durationMs(message.retryBackOff?.baseInterval, 25, `${where}.retry_back_off.base_interval`);
  return {
    on: readConditions(message.retryOn, `${where}.retry_on`),
    retries: message.numRetries ?? 1,
    perTryTimeoutMs: durationMs(message.perTryTimeout, 0, `${where}.per_try_timeout`),
    baseIntervalMs,
    maxIntervalMs: durationMs(
      message.retryBackOff?.maxInterval,
      baseIntervalMs * 10,
      `${where}.retry_back_off.max_interval`,
    ),
    statusCodes: message.retriableStatusCodes,
    headers: message.retriableHeaders.map((header, i) => readHeader(header, `${where}.retriable_headers[${i}]`)),
    avoidHostsAttempts: readAvoidance(message, where),
  };
}

function readConditions(text: string, field: string): ReadonlySet<RetryCondition> {
  const on = new Set<RetryCondition>();
  for (const word of text.split(",")) {
    const name = word.trim();
    if (name === "") continue;
    const condition = retryConditions.find((known) => known === name);
    if (condition === undefined) throw rejection(field, `${name} is not supported; ${retryConditions.join(", ")} are`);
    on.add(condition);
  }
  return on;
}

function readAvoidance(message: RetryPolicyMessage, where: string): number {
  for (const [i, predicate] of message.retryHostPredicate.entries()) {
    const typeUrl = predicate.configType.case === "typedConfig" ? predicate.configType.value.typeUrl : "";
    if (predicate.name !== "envoy.retry_host_predicates.previous_hosts" && typeUrl !== PREVIOUS_HOSTS) {
      throw rejection(`${where}.retry_host_predicate[${i}]`, `${predicate.name} is not supported; previous_hosts is`);
    }
  }
  if (message.retryHostPredicate.length === 0) return 0;
  return Math.min(Math.max(Number(message.hostSelectionRetryMaxAttempts), 1), 100);
}
