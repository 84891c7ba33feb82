import { fromBinary } from "@bufbuild/protobuf";
import {
  type LocalRateLimitDescriptor,
  LocalRateLimitDescriptorSchema,
  VhRateLimitsOptions,
  XRateLimitHeadersRFCVersion,
} from "@fairlead/envoy-api/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js";
import {
  type LocalRateLimit as Message,
  LocalRateLimitSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import type { TokenBucket } from "@fairlead/envoy-api/envoy/type/v3/token_bucket_pb.js";
import {
  LocalRateLimit,
  localRateLimitFilter,
  registerRouteConfig,
  registerStreamFilter,
  type TokenBucketOptions,
} from "@fairlead/proxy-filter";
import { descriptorEntry } from "@fairlead/proxy-router";
import { durationMs } from "../duration.ts";
import { readMutation } from "../header-mutations.ts";
import { runtimeFractionOf } from "../percent.ts";
import { readStage } from "../rate-limits.ts";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

/** Envoy's least. */
const LEAST_FILL_MS = 50;
const none = { remove: [], add: [] };

/** @returns undefined without a bucket: only routes have one */
function read(message: Message, where: string): LocalRateLimit | undefined {
  refuseOthers(LocalRateLimitSchema, message, where, [
    "stat_prefix",
    "status",
    "token_bucket",
    "filter_enabled",
    "filter_enforced",
    "request_headers_to_add_when_not_enforced",
    "response_headers_to_add",
    "local_rate_limit_per_downstream_connection",
    "rate_limited_as_resource_exhausted",
    "descriptors",
    "always_consume_default_token_bucket",
    "stage",
    "vh_rate_limits",
    "enable_x_ratelimit_headers",
  ]);
  if (message.statPrefix === "") throw rejection(`${where}stat_prefix`, "is empty");
  const { tokenBucket } = message;
  if (tokenBucket === undefined) {
    if (message.descriptors.length > 0) throw rejection(`${where}token_bucket`, "is missing, and descriptors are not");
    return undefined;
  }
  const status: number = message.status?.code ?? 429;
  return new LocalRateLimit({
    statPrefix: message.statPrefix,
    bucket: readBucket(tokenBucket, `${where}token_bucket.`),
    descriptors: readDescriptors(message.descriptors, `${where}descriptors`),
    onlyWithoutMatch: message.alwaysConsumeDefaultTokenBucket === false,
    stage: readStage(message.stage, `${where}stage`),
    hostRules: hostRules[message.vhRateLimits],
    tellsClients: message.enableXRatelimitHeaders !== XRateLimitHeadersRFCVersion.OFF,
    // Below 400 it would not be a refusal: Envoy says 429 then.
    status: status < 400 ? 429 : status,
    enabled: runtimeFractionOf(message.filterEnabled, 0),
    enforced: runtimeFractionOf(message.filterEnforced, 0),
    perConnection: message.localRateLimitPerDownstreamConnection,
    requestHeaders: readMutation(message.requestHeadersToAddWhenNotEnforced, [], `${where}request_headers_to`) ?? none,
    responseHeaders: readMutation(message.responseHeadersToAdd, [], `${where}response_headers_to`) ?? none,
    resourceExhausted: message.rateLimitedAsResourceExhausted,
  });
}

const hostRules: Readonly<Record<VhRateLimitsOptions, "override" | "include" | "ignore">> = {
  [VhRateLimitsOptions.OVERRIDE]: "override",
  [VhRateLimitsOptions.INCLUDE]: "include",
  [VhRateLimitsOptions.IGNORE]: "ignore",
};

function readBucket(bucket: TokenBucket, where: string): TokenBucketOptions {
  const fillMs = durationMs(bucket.fillInterval, 0, `${where}fill_interval`);
  if (fillMs < LEAST_FILL_MS) throw rejection(`${where}fill_interval`, `is less than ${LEAST_FILL_MS} ms`);
  return { max: bucket.maxTokens, perFill: bucket.tokensPerFill ?? 1, fillMs };
}

/** By what a request must count as. */
function readDescriptors(
  messages: readonly LocalRateLimitDescriptor[],
  where: string,
): ReadonlyMap<string, TokenBucketOptions> {
  const descriptors = new Map<string, TokenBucketOptions>();
  for (const [i, message] of messages.entries()) {
    const at = `${where}[${i}].`;
    refuseOthers(LocalRateLimitDescriptorSchema, message, at, ["entries", "token_bucket"]);
    if (message.entries.length === 0) throw rejection(`${at}entries`, "is empty");
    if (message.tokenBucket === undefined) throw rejection(`${at}token_bucket`, "is missing");
    for (const [j, { key, value }] of message.entries.entries())
      if (key === "" || value === "") throw rejection(`${at}entries[${j}]`, "has no key, or no value");
    const text = message.entries.map(({ key, value }) => descriptorEntry(key, value)).join("");
    if (descriptors.has(text)) throw rejection(`${at}entries`, "are those of another descriptor");
    descriptors.set(text, readBucket(message.tokenBucket, `${at}token_bucket.`));
  }
  return descriptors;
}

registerStreamFilter(typeUrlOf(LocalRateLimitSchema), (bytes, { name, where }) =>
  localRateLimitFilter(read(fromBinary(LocalRateLimitSchema, bytes), where), name),
);
registerRouteConfig(typeUrlOf(LocalRateLimitSchema), (bytes, where) =>
  read(fromBinary(LocalRateLimitSchema, bytes), where),
);
