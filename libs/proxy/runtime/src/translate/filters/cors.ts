import { fromBinary } from "@bufbuild/protobuf";
import {
  type CorsPolicy,
  CorsPolicySchema,
  CorsSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import {
  CorsConfig,
  corsFilter,
  type CorsSpec,
  registerRouteConfig,
  registerStreamFilter,
} from "@fairlead/proxy-filter";
import { readString } from "../matchers.ts";
import { runtimeFractionOf } from "../percent.ts";
import { refuseOthers, rejection } from "../rejection.ts";
import { typeUrlOf } from "./type-url.ts";

function readPolicy(message: CorsPolicy, where: string): CorsSpec {
  refuseOthers(CorsPolicySchema, message, where, [
    "allow_origin_string_match",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "max_age",
    "allow_credentials",
    "filter_enabled",
    "allow_private_network_access",
    "forward_not_matching_preflights",
  ]);
  for (const text of [message.allowMethods, message.allowHeaders, message.exposeHeaders, message.maxAge])
    if (!/^[\x20-\x7e]*$/.test(text)) throw rejection(where, "holds a character that a header value may not");
  return {
    origins: message.allowOriginStringMatch.map((origin, i) =>
      readString(origin, `${where}allow_origin_string_match[${i}]`),
    ),
    methods: message.allowMethods,
    allowHeaders: message.allowHeaders,
    exposeHeaders: message.exposeHeaders,
    maxAge: message.maxAge,
    credentials: message.allowCredentials ?? false,
    privateNetwork: message.allowPrivateNetworkAccess ?? false,
    forwardOthers: message.forwardNotMatchingPreflights ?? true,
    fraction: runtimeFractionOf(message.filterEnabled, 1),
  };
}

registerStreamFilter(typeUrlOf(CorsSchema), (_bytes, { name }) => corsFilter(name));
registerRouteConfig(
  typeUrlOf(CorsPolicySchema),
  (bytes, where) => new CorsConfig(readPolicy(fromBinary(CorsPolicySchema, bytes), where), where),
);
