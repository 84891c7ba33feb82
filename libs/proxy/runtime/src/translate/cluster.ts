import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type CircuitBreakers as CircuitBreakersMessage,
  CircuitBreakers_ThresholdsSchema,
  CircuitBreakersSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/circuit_breaker_pb.js";
import {
  type Cluster,
  Cluster_CommonLbConfigSchema,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  Cluster_LeastRequestLbConfigSchema,
  Cluster_RoundRobinLbConfigSchema,
  ClusterSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { RoutingPriority } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { ConfigSource } from "@fairlead/envoy-api/envoy/config/core/v3/config_source_pb.js";
import {
  Http1ProtocolOptionsSchema,
  type HttpProtocolOptions as CommonOptions,
  HttpProtocolOptionsSchema as CommonOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/protocol_pb.js";
import { HttpProtocolOptionsSchema } from "@fairlead/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import {
  type BalancerName,
  type CircuitBreakers,
  type ClusterConfig,
  clusterDefaults,
  defaultCircuitBreakers,
  type HostSpec,
} from "@fairlead/proxy-upstream";
import { durationMs } from "./duration.ts";
import { readLoadAssignment } from "./load-assignment.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** A cluster with where its hosts come from: its own list, or the assignment of that name. */
export interface TranslatedCluster {
  readonly config: ClusterConfig;
  readonly hosts: readonly HostSpec[] | undefined;
  /** undefined for a static cluster. */
  readonly edsName: string | undefined;
}

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** @throws FairleadError FL_XDS_REJECTED */
export function readCluster(message: Cluster): TranslatedCluster {
  refuseOthers(ClusterSchema, message, "", [
    "name",
    "alt_stat_name",
    "type",
    "eds_cluster_config",
    "connect_timeout",
    "per_connection_buffer_limit_bytes",
    "lb_policy",
    "load_assignment",
    "max_requests_per_connection",
    "circuit_breakers",
    "common_http_protocol_options",
    "typed_extension_protocol_options",
    "round_robin_lb_config",
    "least_request_lb_config",
    "common_lb_config",
    "metadata",
    "ignore_health_on_host_removal",
  ]);
  if (message.name === "") throw rejection("name", "is empty");
  const options = readProtocolOptions(message);
  const config: ClusterConfig = {
    ...clusterDefaults,
    name: message.name,
    ...readBalancing(message),
    connectTimeoutMs: durationMs(message.connectTimeout, clusterDefaults.connectTimeoutMs, "connect_timeout"),
    highWatermarkBytes: message.perConnectionBufferLimitBytes ?? clusterDefaults.highWatermarkBytes,
    circuitBreakers: readBreakers(message.circuitBreakers),
    ...options,
    maxRequestsPerConnection: message.maxRequestsPerConnection ?? options.maxRequestsPerConnection,
  };
  return { config, ...readDiscovery(message) };
}

function readDiscovery(message: Cluster): Pick<TranslatedCluster, "hosts" | "edsName"> {
  const type =
    message.clusterDiscoveryType.case === "type" ? message.clusterDiscoveryType.value : Cluster_DiscoveryType.STATIC;
  if (type === Cluster_DiscoveryType.STATIC) {
    if (message.loadAssignment === undefined) throw rejection("load_assignment", "is missing in a STATIC cluster");
    return { hosts: readLoadAssignment(message.loadAssignment, "load_assignment."), edsName: undefined };
  }
  if (type !== Cluster_DiscoveryType.EDS)
    throw rejection("type", `${Cluster_DiscoveryType[type]} is not supported; STATIC and EDS are`);
  if (message.edsClusterConfig === undefined) throw rejection("eds_cluster_config", "is missing in an EDS cluster");
  checkAds(message.edsClusterConfig.edsConfig, "eds_cluster_config.eds_config");
  const { serviceName } = message.edsClusterConfig;
  return { hosts: undefined, edsName: serviceName === "" ? message.name : serviceName };
}

/** The proxy has one stream that all resources come from. */
export function checkAds(source: ConfigSource | undefined, where: string): void {
  const kind = source?.configSourceSpecifier.case;
  if (kind !== "ads" && kind !== "self") throw rejection(where, "only ads is supported by this proxy");
}

function readBalancing(message: Cluster): Pick<ClusterConfig, "balancer" | "choiceCount" | "healthyPanicPercent"> {
  const names: Partial<Record<Cluster_LbPolicy, BalancerName>> = {
    [Cluster_LbPolicy.ROUND_ROBIN]: "round_robin",
    [Cluster_LbPolicy.LEAST_REQUEST]: "least_request",
    [Cluster_LbPolicy.RANDOM]: "random",
  };
  const balancer = names[message.lbPolicy];
  if (balancer === undefined) {
    throw rejection(
      "lb_policy",
      `${Cluster_LbPolicy[message.lbPolicy]} is not supported; ROUND_ROBIN, LEAST_REQUEST and RANDOM are`,
    );
  }
  let { choiceCount } = clusterDefaults;
  if (message.lbConfig.case === "leastRequestLbConfig") {
    refuseOthers(Cluster_LeastRequestLbConfigSchema, message.lbConfig.value, "least_request_lb_config.", [
      "choice_count",
    ]);
    choiceCount = message.lbConfig.value.choiceCount ?? choiceCount;
    if (choiceCount < 2) throw rejection("least_request_lb_config.choice_count", "is less than 2");
  } else if (message.lbConfig.case === "roundRobinLbConfig") {
    refuseOthers(Cluster_RoundRobinLbConfigSchema, message.lbConfig.value, "round_robin_lb_config.", []);
  }
  let { healthyPanicPercent } = clusterDefaults;
  if (message.commonLbConfig !== undefined) {
    refuseOthers(Cluster_CommonLbConfigSchema, message.commonLbConfig, "common_lb_config.", [
      "healthy_panic_threshold",
    ]);
    healthyPanicPercent = message.commonLbConfig.healthyPanicThreshold?.value ?? healthyPanicPercent;
  }
  return { balancer, choiceCount, healthyPanicPercent };
}

function readBreakers(message: CircuitBreakersMessage | undefined): CircuitBreakers {
  if (message === undefined) return defaultCircuitBreakers;
  refuseOthers(CircuitBreakersSchema, message, "circuit_breakers.", ["thresholds"]);
  let breakers = defaultCircuitBreakers;
  for (const [i, threshold] of message.thresholds.entries()) {
    // Requests of high priority do not exist here: routes refuse to make any.
    if (threshold.priority !== RoutingPriority.DEFAULT) continue;
    refuseOthers(CircuitBreakers_ThresholdsSchema, threshold, `circuit_breakers.thresholds[${i}].`, [
      "max_connections",
      "max_pending_requests",
      "max_requests",
      "max_retries",
      "track_remaining",
    ]);
    breakers = {
      maxConnections: threshold.maxConnections ?? breakers.maxConnections,
      maxPendingRequests: threshold.maxPendingRequests ?? breakers.maxPendingRequests,
      maxRequests: threshold.maxRequests ?? breakers.maxRequests,
      maxRetries: threshold.maxRetries ?? breakers.maxRetries,
    };
  }
  return breakers;
}

function readProtocolOptions(
  message: Cluster,
): Pick<ClusterConfig, "protocol" | "idleTimeoutMs" | "maxRequestsPerConnection"> {
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
  refuseOthers(HttpProtocolOptionsSchema, options, where, ["common_http_protocol_options", "explicit_http_config"]);
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
    // Without a codec for it calls are answered 503; a NACK would hold back the whole type, and all who wait for it.
    protocol: explicit?.case === "http2ProtocolOptions" ? "http2" : "http1",
    ...(options.commonHttpProtocolOptions === undefined
      ? common
      : readCommonOptions(options.commonHttpProtocolOptions, `${where}common_http_protocol_options.`)),
  };
}

function readCommonOptions(
  message: CommonOptions | undefined,
  where: string,
): Pick<ClusterConfig, "idleTimeoutMs" | "maxRequestsPerConnection"> {
  const { idleTimeoutMs, maxRequestsPerConnection } = clusterDefaults;
  if (message === undefined) return { idleTimeoutMs, maxRequestsPerConnection };
  refuseOthers(CommonOptionsSchema, message, where, ["idle_timeout", "max_requests_per_connection"]);
  return {
    idleTimeoutMs: durationMs(message.idleTimeout, idleTimeoutMs, `${where}idle_timeout`),
    maxRequestsPerConnection: message.maxRequestsPerConnection ?? maxRequestsPerConnection,
  };
}
