import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { PreviousPrioritiesConfigSchema } from "@fairlead/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import {
  RetryPolicy_ResetHeaderFormat,
  type RetryPolicy as RetryPolicyMessage,
  RetryPolicySchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import {
  type RateLimitedBackOff,
  type RetryCondition,
  retryConditions,
  type RetryPolicy,
} from "@fairlead/proxy-router";
import { readHostPredicates } from "./retry-host-predicates.ts";
import { durationMs } from "./duration.ts";
import { readHeader } from "./matchers.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** @throws FairleadError FL_XDS_REJECTED */
export function readRetryPolicy(message: RetryPolicyMessage | undefined, where: string): RetryPolicy | undefined {
  if (message === undefined) return undefined;
  refuseOthers(RetryPolicySchema, message, `${where}.`, [
    "retry_on",
    "num_retries",
    "per_try_timeout",
    "per_try_idle_timeout",
    "retry_priority",
    "rate_limited_retry_back_off",
    "retriable_request_headers",
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
    perTryIdleTimeoutMs: durationMs(message.perTryIdleTimeout, 0, `${where}.per_try_idle_timeout`),
    baseIntervalMs,
    maxIntervalMs: durationMs(
      message.retryBackOff?.maxInterval,
      baseIntervalMs * 10,
      `${where}.retry_back_off.max_interval`,
    ),
    statusCodes: message.retriableStatusCodes,
    headers: message.retriableHeaders.map((header, i) => readHeader(header, `${where}.retriable_headers[${i}]`)),
    requestHeaders: message.retriableRequestHeaders.map((header, i) =>
      readHeader(header, `${where}.retriable_request_headers[${i}]`),
    ),
    ...readHostPredicates(message, where),
    avoidPrioritiesAfter: readPriorityAvoidance(message, where),
    rateLimited: readRateLimited(message, `${where}.rate_limited_retry_back_off`),
  };
}

const DEFAULT_RATE_LIMITED_MAX_MS = 300_000;

function readRateLimited(message: RetryPolicyMessage, where: string): RateLimitedBackOff | undefined {
  const backOff = message.rateLimitedRetryBackOff;
  if (backOff === undefined) return undefined;
  return {
    headers: backOff.resetHeaders.map(({ name, format }) => ({
      name: name.toLowerCase(),
      format: format === RetryPolicy_ResetHeaderFormat.UNIX_TIMESTAMP ? "unixTime" : "seconds",
    })),
    maxIntervalMs: durationMs(backOff.maxInterval, DEFAULT_RATE_LIMITED_MAX_MS, `${where}.max_interval`),
  };
}

function readPriorityAvoidance(message: RetryPolicyMessage, where: string): number {
  const priority = message.retryPriority;
  if (priority === undefined) return 0;
  const config =
    priority.configType.case === "typedConfig"
      ? anyUnpack(priority.configType.value, PreviousPrioritiesConfigSchema)
      : undefined;
  if (config === undefined)
    throw rejection(`${where}.retry_priority`, `${priority.name} is not supported; previous_priorities is`);
  if (config.updateFrequency < 1) throw rejection(`${where}.retry_priority.update_frequency`, "is less than 1");
  return config.updateFrequency;
}

/** Most policies of a mesh say the same. */
let lastText = "";
let lastConditions: ReadonlySet<RetryCondition> = new Set();

function readConditions(text: string, field: string): ReadonlySet<RetryCondition> {
  if (text !== lastText) {
    lastConditions = parseConditions(text, field);
    lastText = text;
  }
  return lastConditions;
}

function parseConditions(text: string, field: string): ReadonlySet<RetryCondition> {
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
