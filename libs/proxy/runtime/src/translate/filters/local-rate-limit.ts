import { fromBinary } from "@bufbuild/protobuf";
import {
  type LocalRateLimit as Message,
  LocalRateLimitSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import {
  LocalRateLimit,
  localRateLimitFilter,
  registerRouteConfig,
  registerStreamFilter,
} from "@fairlead/proxy-filter";
import { durationMs } from "../duration.ts";
import { readMutation } from "../header-mutations.ts";
import { runtimeFractionOf } from "../percent.ts";
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
    // About descriptors, which are refused.
    "always_consume_default_token_bucket",
  ]);
  if (message.statPrefix === "") throw rejection(`${where}stat_prefix`, "is empty");
  const bucket = message.tokenBucket;
  if (bucket === undefined) return undefined;
  const fillMs = durationMs(bucket.fillInterval, 0, `${where}token_bucket.fill_interval`);
  if (fillMs < LEAST_FILL_MS) throw rejection(`${where}token_bucket.fill_interval`, `is less than ${LEAST_FILL_MS} ms`);
  const status: number = message.status?.code ?? 429;
  return new LocalRateLimit({
    statPrefix: message.statPrefix,
    bucket: { max: bucket.maxTokens, perFill: bucket.tokensPerFill ?? 1, fillMs },
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

registerStreamFilter(typeUrlOf(LocalRateLimitSchema), (bytes, { name, where }) =>
  localRateLimitFilter(read(fromBinary(LocalRateLimitSchema, bytes), where), name),
);
registerRouteConfig(typeUrlOf(LocalRateLimitSchema), (bytes, where) =>
  read(fromBinary(LocalRateLimitSchema, bytes), where),
);
