import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Cluster } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  Http1ProtocolOptionsSchema,
  type HttpProtocolOptions as CommonOptions,
  HttpProtocolOptionsSchema as CommonOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { type ClusterConfig, clusterDefaults } from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { readHttp2Options } from "./http2-options.ts";
import { refuseOthers, rejection } from "./rejection.ts";

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** @throws FairleadError FL_XDS_REJECTED */
export function readProtocolOptions(
  message: Cluster,
): Pick<
  ClusterConfig,
  "protocol" | "http2" | "idleTimeoutMs" | "maxRequestsPerConnection" | "maxConnectionDurationMs"
> {
  const common = readCommonOptions(message.commonHttpProtocolOptions, "common_http_protocol_options.");
  const any = message.typedExtensionProtocolOptions[HTTP_OPTIONS];
  for (const key of Object.keys(message.typedExtensionProtocolOptions)) {
    if (key !== HTTP_OPTIONS)
      throw rejection("typed_extension_protocol_options", `${key} is not supported by this proxy`);
  }
  if (any === undefined) return { protocol: "http1", ...common };
  const where = `typed_extension_protocol_options[${HTTP_OPTIONS}].`;
  const options = anyUnpack(any, HttpProtocolOptionsSchema);
  if (options === undefined) throw rejection(where, `is a ${any.typeUrl}`);
  refuseOthers(HttpProtocolOptionsSchema, options, where, [
    "common_http_protocol_options",
    "explicit_http_config",
    "use_downstream_protocol_config",
  ]);
  const explicit =
    options.upstreamProtocolOptions.case === "explicitHttpConfig"
      ? options.upstreamProtocolOptions.value.protocolConfig
      : undefined;
  if (explicit?.case === "http3ProtocolOptions") {
    throw rejection(`${where}explicit_http_config`, "HTTP/3 is not supported by this proxy");
  }
  if (explicit?.case === "httpProtocolOptions") {
    refuseOthers(Http1ProtocolOptionsSchema, explicit.value, `${where}explicit_http_config.http_protocol_options.`, []);
  }
  return {
    ...(explicit?.case === "http2ProtocolOptions"
      ? {
          protocol: "http2",
          http2: readHttp2Options(explicit.value, `${where}explicit_http_config.http2_protocol_options.`),
        }
      : { protocol: "http1" }),
    ...(options.commonHttpProtocolOptions === undefined
      ? common
      : readCommonOptions(options.commonHttpProtocolOptions, `${where}common_http_protocol_options.`)),
  };
}

function readCommonOptions(
  message: CommonOptions | undefined,
  where: string,
): Pick<ClusterConfig, "idleTimeoutMs" | "maxRequestsPerConnection" | "maxConnectionDurationMs"> {
  const { idleTimeoutMs, maxRequestsPerConnection, maxConnectionDurationMs } = clusterDefaults;
  if (message === undefined) return { idleTimeoutMs, maxRequestsPerConnection, maxConnectionDurationMs };
  refuseOthers(CommonOptionsSchema, message, where, [
    "idle_timeout",
    "max_requests_per_connection",
    "max_connection_duration",
  ]);
  return {
    idleTimeoutMs: durationMs(message.idleTimeout, idleTimeoutMs, `${where}idle_timeout`),
    maxRequestsPerConnection: message.maxRequestsPerConnection ?? maxRequestsPerConnection,
    maxConnectionDurationMs: durationMs(
      message.maxConnectionDuration,
      maxConnectionDurationMs,
      `${where}max_connection_duration`,
    ),
  };
}
