import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { FaultDelaySchema } from "@fairlead/envoy-api/envoy/extensions/filters/common/fault/v3/fault_pb.js";
import { CorsPolicySchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import {
  FaultAbortSchema,
  HTTPFaultSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import type { CorsPolicy, Fault, HttpRoute } from "@fairlead/policy";
import { durationOf } from "./durations.ts";
import { corsFilterName, faultFilterName } from "./http-filters.ts";
import { fractionalPercent, percentOf } from "./percent.ts";
import { stringMatcher } from "./string-matcher.ts";
import type { Audience } from "./audience.ts";

function faultConfig({ delay, abort }: Fault): Any {
  const message = create(HTTPFaultSchema, {
    ...(delay === undefined
      ? {}
      : {
          delay: create(FaultDelaySchema, {
            faultDelaySecifier: { case: "fixedDelay", value: durationOf(delay.fixedDelay) },
            percentage: fractionalPercent(percentOf(delay)),
          }),
        }),
    ...(abort === undefined
      ? {}
      : {
          abort: create(FaultAbortSchema, {
            errorType:
              abort.grpcStatus === undefined
                ? { case: "httpStatus", value: abort.httpStatus! }
                : { case: "grpcStatus", value: abort.grpcStatus },
            percentage: fractionalPercent(percentOf(abort)),
          }),
        }),
  });
  return anyPack(HTTPFaultSchema, message);
}

function corsConfig(policy: CorsPolicy): Any {
  const message = create(CorsPolicySchema, {
    allowOriginStringMatch: policy.allowOrigins.map((origin) => stringMatcher(origin)),
    allowMethods: policy.allowMethods.join(","),
    allowHeaders: policy.allowHeaders.join(","),
    exposeHeaders: policy.exposeHeaders.join(","),
    maxAge: policy.maxAge === undefined ? "" : String(Math.floor(policy.maxAge / 1000)),
    ...(policy.allowCredentials === undefined ? {} : { allowCredentials: policy.allowCredentials }),
    filterEnabled: { defaultValue: fractionalPercent(100) },
    ...(policy.unmatchedPreflights === undefined || policy.unmatchedPreflights === "UNSPECIFIED"
      ? {}
      : { forwardNotMatchingPreflights: policy.unmatchedPreflights === "FORWARD" }),
  });
  return anyPack(CorsPolicySchema, message);
}

/** What the filters of http-filters.ts do on this route; on others they do nothing. */
export function routeFilters(route: HttpRoute, audience: Audience): Record<string, Any> {
  return {
    // Browsers do not speak gRPC, and gRPC clients refuse filters that they do not know.
    ...(route.corsPolicy === undefined || audience === "grpcClients"
      ? {}
      : { [corsFilterName]: corsConfig(route.corsPolicy) }),
    ...(route.fault === undefined ? {} : { [faultFilterName]: faultConfig(route.fault) }),
  };
}
