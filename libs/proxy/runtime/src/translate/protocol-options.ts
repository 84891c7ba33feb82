import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Cluster } from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import {
  type HttpProtocolOptions as CommonOptions,
  HttpProtocolOptionsSchema as CommonOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import {
  type HttpProtocolOptions,
  HttpProtocolOptions_AutoHttpConfigSchema,
  HttpProtocolOptions_UseDownstreamHttpConfigSchema,
  HttpProtocolOptionsSchema,
} from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { ALPN_PROTOCOL, CLIENT_PROTOCOL, type ClusterConfig, clusterDefaults } from "@fairlead/proxy-upstream";
import { rpcProtocols } from "@fairlead/proxy-stream";
import { durationMs } from "./duration.ts";
import { readClientHttp1Options } from "./http1-options.ts";
import { readHttp2Options } from "./http2-options.ts";
import { refuseOthers, rejection } from "./rejection.ts";

export const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** RPC hosts keep what is idle for three of their clients' heartbeats, and we send these. */
const RPC_IDLE_MS = 180_000;

/** @throws FairleadError FL_XDS_REJECTED */
export function readProtocolOptions(
  message: Cluster,
): Pick<ClusterConfig, "protocol" | "http1" | "http2" | CommonOption> {
  const common = readCommonOptions(message.commonHttpProtocolOptions, "common_http_protocol_options.");
  const any = message.typedExtensionProtocolOptions[HTTP_OPTIONS];
  for (const key of Object.keys(message.typedExtensionProtocolOptions)) {
    if (key !== HTTP_OPTIONS)
      throw rejection("typed_extension_protocol_options", `${key} is not supported by this proxy`);
  }
  const rpc = readRpcProtocol(message);
  if (rpc !== undefined) {
    const idleTimeoutMs =
      message.commonHttpProtocolOptions?.idleTimeout === undefined ? RPC_IDLE_MS : common.idleTimeoutMs;
    return { protocol: rpc, ...common, idleTimeoutMs };
  }
  if (any === undefined) return { protocol: "http1", ...common };
  const where = `typed_extension_protocol_options[${HTTP_OPTIONS}].`;
  const options = anyUnpack(any, HttpProtocolOptionsSchema);
  if (options === undefined) throw rejection(where, `is a ${any.typeUrl}`);
  refuseOthers(HttpProtocolOptionsSchema, options, where, [
    "common_http_protocol_options",
    "explicit_http_config",
    "use_downstream_protocol_config",
    "auto_config",
    "upstream_http_protocol_options",
  ]);
  return {
    ...readProtocol(options, where),
    ...(options.commonHttpProtocolOptions === undefined
      ? common
      : readCommonOptions(options.commonHttpProtocolOptions, `${where}common_http_protocol_options.`)),
  };
}

/** Of Fairlead's own metadata: Envoy passes over metadata that it does not know, but refuses such protocol options. */
function readRpcProtocol({ metadata }: Cluster): string | undefined {
  const protocol = metadata?.filterMetadata["fairlead.rpc"]?.["protocol"];
  if (protocol === undefined) return undefined;
  if (typeof protocol === "string" && rpcProtocols.has(protocol)) return protocol;
  throw rejection(
    "metadata.filter_metadata[fairlead.rpc].protocol",
    `is none of ${[...rpcProtocols.keys()].join(", ")}`,
  );
}

function readProtocol(
  options: HttpProtocolOptions,
  where: string,
): Pick<ClusterConfig, "protocol" | "http1" | "http2"> {
  const { upstreamProtocolOptions: wanted } = options;
  if (wanted.case === "useDownstreamProtocolConfig") {
    const inside = `${where}use_downstream_protocol_config.`;
    refuseOthers(HttpProtocolOptions_UseDownstreamHttpConfigSchema, wanted.value, inside, [
      "http_protocol_options",
      "http2_protocol_options",
    ]);
    const { httpProtocolOptions: http1, http2ProtocolOptions: http2 } = wanted.value;
    const ofHttp1 = readClientHttp1Options(http1, `${inside}http_protocol_options.`);
    // As Envoy: without options for it, HTTP/2 is not spoken to the hosts.
    if (http2 === undefined) return { protocol: "http1", http1: ofHttp1 };
    return {
      protocol: CLIENT_PROTOCOL,
      http1: ofHttp1,
      http2: readHttp2Options(http2, `${inside}http2_protocol_options.`),
    };
  }
  if (wanted.case === "autoConfig") {
    const inside = `${where}auto_config.`;
    refuseOthers(HttpProtocolOptions_AutoHttpConfigSchema, wanted.value, inside, [
      "http_protocol_options",
      "http2_protocol_options",
    ]);
    const { httpProtocolOptions: http1, http2ProtocolOptions: http2 } = wanted.value;
    const ofHttp1 = readClientHttp1Options(http1, `${inside}http_protocol_options.`);
    if (http2 === undefined) return { protocol: ALPN_PROTOCOL, http1: ofHttp1 };
    return {
      protocol: ALPN_PROTOCOL,
      http1: ofHttp1,
      http2: readHttp2Options(http2, `${inside}http2_protocol_options.`),
    };
  }
  if (wanted.case !== "explicitHttpConfig") return { protocol: "http1" };
  const inside = `${where}explicit_http_config`;
  const explicit = wanted.value.protocolConfig;
  switch (explicit.case) {
    case "http3ProtocolOptions":
      throw rejection(inside, "HTTP/3 is not supported by this proxy");
    case "http2ProtocolOptions":
      return { protocol: "http2", http2: readHttp2Options(explicit.value, `${inside}.http2_protocol_options.`) };
    case "httpProtocolOptions":
      return {
        protocol: "http1",
        http1: readClientHttp1Options(explicit.value, `${inside}.http_protocol_options.`),
      };
    default:
      return { protocol: "http1" };
  }
}

type CommonOption = "idleTimeoutMs" | "maxRequestsPerConnection" | "maxConnectionDurationMs" | "maxStreamDurationMs";

function readCommonOptions(message: CommonOptions | undefined, where: string): Pick<ClusterConfig, CommonOption> {
  const { idleTimeoutMs, maxRequestsPerConnection, maxConnectionDurationMs } = clusterDefaults;
  if (message === undefined) return { idleTimeoutMs, maxRequestsPerConnection, maxConnectionDurationMs };
  refuseOthers(CommonOptionsSchema, message, where, [
    "idle_timeout",
    "max_requests_per_connection",
    "max_connection_duration",
    "max_stream_duration",
  ]);
  return {
    idleTimeoutMs: durationMs(message.idleTimeout, idleTimeoutMs, `${where}idle_timeout`),
    maxStreamDurationMs: durationMs(message.maxStreamDuration, 0, `${where}max_stream_duration`),
    maxRequestsPerConnection: message.maxRequestsPerConnection ?? maxRequestsPerConnection,
    maxConnectionDurationMs: durationMs(
      message.maxConnectionDuration,
      maxConnectionDurationMs,
      `${where}max_connection_duration`,
    ),
  };
}
