import { isIP } from "node:net";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { type Router, RouterSchema } from "@fairlead/envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManager_CodecType,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManagerSchema,
} from "@fairlead/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type ConnectionManagerConfig,
  connectionManagerDefaults as defaults,
  InternalAddresses,
  type ConfiguredFilter,
  streamFilterReader,
  strictChecks,
} from "@fairlead/proxy-filter";
import type { RouteTable } from "@fairlead/proxy-router";
import type { AccessLogSpec } from "../access-log/access-log.ts";
import { readAccessLogs } from "./access-log.ts";
import { checkAds } from "./config-source.ts";
import "./filters/index.ts";
import { durationMs } from "./duration.ts";
import { readHttp1Options } from "./http1-options.ts";
import { readHttp2Options } from "./http2-options.ts";
import { readHttpRules } from "./http-rules.ts";
import { readLocalReplies } from "./local-reply-config.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readRouteConfiguration } from "./route-configuration.ts";
import { readUpgrades } from "./upgrade-configs.ts";

/** `routes`: the table itself, or the name of one that comes over RDS. */
export interface TranslatedConnectionManager {
  readonly statPrefix: string;
  readonly config: Omit<ConnectionManagerConfig, "routes" | "accessLog">;
  readonly routes: RouteTable | string;
  /** @default none */
  readonly accessLogs?: readonly AccessLogSpec[];
}

/** @throws FairleadError FL_XDS_REJECTED, FL_ROUTE_INVALID */
export function readConnectionManager(message: HttpConnectionManager, where: string): TranslatedConnectionManager {
  // Some of them say how Envoy ends connections, which this proxy does by itself; harmless to differ.
  refuseOthers(HttpConnectionManagerSchema, message, where, [
    "codec_type",
    "stat_prefix",
    "rds",
    "route_config",
    "http_filters",
    "common_http_protocol_options",
    "http_protocol_options",
    "http2_protocol_options",
    "server_name",
    "server_header_transformation",
    "max_request_headers_kb",
    "stream_idle_timeout",
    "stream_flush_timeout",
    "request_timeout",
    "request_headers_timeout",
    "use_remote_address",
    "xff_num_trusted_hops",
    "internal_address_config",
    "generate_request_id",
    "normalize_path",
    "merge_slashes",
    "path_with_escaped_slashes_action",
    "drain_timeout",
    "delayed_close_timeout",
    "preserve_external_request_id",
    "stream_error_on_invalid_http_message",
    "access_log",
    "upgrade_configs",
    "strip_matching_host_port",
    "strip_any_host_port",
    "strip_trailing_host_dot",
    "via",
    "skip_xff_append",
    "always_set_request_id_in_response",
    "forward_client_cert_details",
    "set_current_client_cert_details",
    "local_reply_config",
    "proxy_100_continue",
    "early_header_mutation_extensions",
  ]);
  const filters = readFilters(message, `${where}http_filters`);
  const upgrades = readUpgrades(message.upgradeConfigs, `${where}upgrade_configs`);
  return {
    statPrefix: message.statPrefix,
    routes: readRoutes(message, where),
    accessLogs: readAccessLogs(message.accessLog, `${where}access_log`),
    config: {
      ...defaults,
      ...filters,
      upgrades,
      http1: {
        ...readHttp1Options(message.httpProtocolOptions, where),
        allowConnect: upgrades?.has("connect") === true,
        passContinue: message.proxy100Continue,
      },
      mapLocalReply: readLocalReplies(message.localReplyConfig, `${where}local_reply_config.`),
      protocol: readCodec(message.codecType, `${where}codec_type`),
      http2: {
        // HTTP/1.1 connections end with what is malformed in any case: where the next request begins is not known.
        closesOnMalformed: message.streamErrorOnInvalidHttpMessage === false,
        ...(message.http2ProtocolOptions === undefined
          ? undefined
          : readHttp2Options(message.http2ProtocolOptions, `${where}http2_protocol_options.`)),
        passContinue: message.proxy100Continue,
      },
      ...readLimits(message, where),
      ...readTimeouts(message, where),
      ...readHttpRules(message, where),
      serverName:
        message.serverName === "" ? defaults.serverName : readServerName(message.serverName, `${where}server_name`),
      serverHeader: serverHeaders[message.serverHeaderTransformation],
      trustedHops: message.xffNumTrustedHops,
      internalAddresses: readInternalAddresses(message, where),
      useRemoteAddress: message.useRemoteAddress ?? defaults.useRemoteAddress,
      generateRequestId: message.generateRequestId ?? defaults.generateRequestId,
    },
  };
}

const serverHeaders: Readonly<Record<ServerHeader, ConnectionManagerConfig["serverHeader"]>> = {
  [ServerHeader.OVERWRITE]: "overwrite",
  [ServerHeader.APPEND_IF_ABSENT]: "appendIfAbsent",
  [ServerHeader.PASS_THROUGH]: "passThrough",
};

function readInternalAddresses(message: HttpConnectionManager, where: string): InternalAddresses | undefined {
  const config = message.internalAddressConfig;
  if (config === undefined || config.cidrRanges.length === 0) return undefined;
  const addresses = new InternalAddresses();
  for (const [i, { addressPrefix, prefixLen = 0 }] of config.cidrRanges.entries()) {
    const version = isIP(addressPrefix);
    if (version === 0 || prefixLen > (version === 4 ? 32 : 128))
      throw rejection(`${where}internal_address_config.cidr_ranges[${i}]`, "is not a range of addresses");
    addresses.add(addressPrefix, prefixLen);
  }
  return addresses;
}

function readCodec(codec: HttpConnectionManager_CodecType, field: string): ConnectionManagerConfig["protocol"] {
  switch (codec) {
    case HttpConnectionManager_CodecType.AUTO:
      return "auto";
    case HttpConnectionManager_CodecType.HTTP1:
      return "http1";
    case HttpConnectionManager_CodecType.HTTP2:
      return "http2";
    default:
      throw rejection(field, `${HttpConnectionManager_CodecType[codec]} is not supported; AUTO, HTTP1 and HTTP2 are`);
  }
}

function readRoutes(message: HttpConnectionManager, where: string): RouteTable | string {
  const { routeSpecifier } = message;
  if (routeSpecifier.case === "routeConfig")
    return readRouteConfiguration(routeSpecifier.value, `${where}route_config.`);
  if (routeSpecifier.case !== "rds") throw rejection(where, "has neither rds nor route_config");
  checkAds(routeSpecifier.value.configSource, `${where}rds.config_source`);
  if (routeSpecifier.value.routeConfigName === "") throw rejection(`${where}rds.route_config_name`, "is empty");
  return routeSpecifier.value.routeConfigName;
}

type RouterField = "suppressEnvoyHeaders" | "strictHeaders" | "respectsExpectedTimeout";

function readRouter(router: Router, where: string): Pick<ConnectionManagerConfig, RouterField> {
  const strictHeaders = router.strictCheckHeaders.map((name) => name.toLowerCase());
  const unknown = strictHeaders.find((name) => !strictChecks.has(name));
  if (unknown !== undefined)
    throw rejection(`${where}strict_check_headers`, `${unknown} is not one of ${[...strictChecks.keys()].join(", ")}`);
  const { suppressEnvoyHeaders, respectExpectedRqTimeout: respectsExpectedTimeout } = router;
  return { suppressEnvoyHeaders, strictHeaders, respectsExpectedTimeout };
}

/** The router must be the last, as in Envoy; those before it come from the registry of stream filters. */
function readFilters(
  message: HttpConnectionManager,
  where: string,
): Pick<ConnectionManagerConfig, "filters" | RouterField> {
  const filters: ConfiguredFilter[] = [];
  let router: Router | undefined;
  for (const [i, filter] of message.httpFilters.entries()) {
    const field = `${where}[${i}]`;
    if (filter.configType.case !== "typedConfig") throw rejection(`${field}.typed_config`, "is missing");
    if (router !== undefined) throw rejection(field, "follows the router, which must be the last");
    const any = filter.configType.value;
    router = anyUnpack(any, RouterSchema);
    if (router !== undefined && filter.disabled)
      throw rejection(`${field}.disabled`, "the router cannot be switched off");
    if (router !== undefined) continue;
    const reader = streamFilterReader(any.typeUrl);
    if (reader !== undefined) {
      const create = reader(any.value, { name: filter.name, where: `${field}.typed_config.` });
      filters.push({ name: filter.name, disabled: filter.disabled, create });
    } else if (!filter.isOptional)
      throw rejection(`${field}.typed_config`, `${any.typeUrl} is not supported by this proxy`);
  }
  if (router === undefined) throw rejection(where, "has no router");
  refuseOthers(RouterSchema, router, `${where}[${message.httpFilters.length - 1}].typed_config.`, [
    "dynamic_stats",
    "suppress_envoy_headers",
    "strict_check_headers",
    "respect_expected_rq_timeout",
  ]);
  return { filters, ...readRouter(router, `${where}[${message.httpFilters.length - 1}].typed_config.`) };
}

function readLimits(
  message: HttpConnectionManager,
  where: string,
): Pick<ConnectionManagerConfig, "maxHeadBytes" | "maxHeaders"> {
  const kilobytes = message.maxRequestHeadersKb ?? 60;
  if (kilobytes < 1 || kilobytes > 8192) throw rejection(`${where}max_request_headers_kb`, "is not from 1 to 8192");
  return {
    maxHeadBytes: kilobytes * 1024,
    maxHeaders: message.commonHttpProtocolOptions?.maxHeadersCount ?? defaults.maxHeaders,
  };
}

type Timeouts =
  | "maxStreamDurationMs"
  | "maxConnectionDurationMs"
  | "maxRequestsPerConnection"
  | "delayedCloseMs"
  | "drainTimeoutMs"
  | "idleTimeoutMs"
  | "streamIdleTimeoutMs"
  | "streamFlushTimeoutMs"
  | "requestTimeoutMs"
  | "headersTimeoutMs";

function readTimeouts(message: HttpConnectionManager, where: string): Pick<ConnectionManagerConfig, Timeouts> {
  const common = message.commonHttpProtocolOptions;
  if (common !== undefined) {
    refuseOthers(HttpProtocolOptionsSchema, common, `${where}common_http_protocol_options.`, [
      "idle_timeout",
      "max_headers_count",
      "max_stream_duration",
      "max_connection_duration",
      "max_requests_per_connection",
      "headers_with_underscores_action",
    ]);
  }
  const headersMs = durationMs(
    message.requestHeadersTimeout,
    defaults.headersTimeoutMs,
    `${where}request_headers_timeout`,
  );
  return {
    maxConnectionDurationMs: durationMs(
      common?.maxConnectionDuration,
      defaults.maxConnectionDurationMs,
      `${where}common_http_protocol_options.max_connection_duration`,
    ),
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? defaults.maxRequestsPerConnection,
    delayedCloseMs: durationMs(message.delayedCloseTimeout, defaults.delayedCloseMs, `${where}delayed_close_timeout`),
    drainTimeoutMs: durationMs(message.drainTimeout, defaults.drainTimeoutMs, `${where}drain_timeout`),
    maxStreamDurationMs: durationMs(
      common?.maxStreamDuration,
      defaults.maxStreamDurationMs,
      `${where}common_http_protocol_options.max_stream_duration`,
    ),
    idleTimeoutMs: durationMs(
      common?.idleTimeout,
      defaults.idleTimeoutMs,
      `${where}common_http_protocol_options.idle_timeout`,
    ),
    streamIdleTimeoutMs: durationMs(
      message.streamIdleTimeout,
      defaults.streamIdleTimeoutMs,
      `${where}stream_idle_timeout`,
    ),
    streamFlushTimeoutMs:
      message.streamFlushTimeout === undefined
        ? undefined
        : durationMs(message.streamFlushTimeout, 0, `${where}stream_flush_timeout`),
    requestTimeoutMs: durationMs(message.requestTimeout, defaults.requestTimeoutMs, `${where}request_timeout`),
    // Envoy's 0 is none; here it is the default, as a head without time-out is a slowloris.
    headersTimeoutMs: headersMs === 0 ? defaults.headersTimeoutMs : headersMs,
  };
}

function readServerName(name: string, field: string): string {
  if (!/^[\x20-\x7e]+$/.test(name)) throw rejection(field, "holds a character that a header value may not");
  return name;
}
