import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
  TrackClusterStatsSchema,
  UpstreamConnectionOptionsSchema,
} from "@fairlead/envoy-api/envoy/config/cluster/v3/cluster_pb.js";
import { ALPN_PROTOCOL, type ClusterConfig, clusterDefaults, type TcpKeepAlive } from "@fairlead/proxy-upstream";
import { noSecrets, type SecretLookup } from "../secrets/secret.ts";
import { readAggregate } from "./aggregate.ts";
import { readBalancing } from "./balancing.ts";
import { readBreakers } from "./circuit-breakers.ts";
import { checkAds } from "./config-source.ts";
import { readDnsDiscovery, type DnsDiscovery } from "./dns-discovery.ts";
import { durationMs } from "./duration.ts";
import { readHealthChecks } from "./health-check.ts";
import { type Assignment, readLoadAssignment } from "./load-assignment.ts";
import { readAutoServerName } from "./auto-server-name.ts";
import { readTlsMatches } from "./tls-matches.ts";
import { readOutlierDetection } from "./outlier-detection.ts";
import { readOriginalDestination } from "./original-destination.ts";
import { readProtocolOptions } from "./protocol-options.ts";
import { refuseOthers, rejection } from "./rejection.ts";
import { readSubsets } from "./subsets.ts";
import { readUpstreamTls } from "./tls-context.ts";

/** A cluster with where its hosts come from. */
export interface TranslatedCluster {
  readonly config: ClusterConfig;
  readonly discovery: Discovery;
  /** The secrets that it waits for. */
  readonly secretNames: readonly string[];
}

/** Its own list; the assignment of a name; or what DNS says of names. */
export type Discovery =
  | { readonly kind: "static"; readonly assignment: Assignment }
  | { readonly kind: "eds"; readonly name: string }
  | { readonly kind: "dns"; readonly dns: DnsDiscovery };

/** @throws FairleadError FL_XDS_REJECTED */
export function readCluster(message: Cluster, secrets: SecretLookup = noSecrets): TranslatedCluster {
  refuseOthers(ClusterSchema, message, "", [
    "name",
    "alt_stat_name",
    "type",
    "cluster_type",
    "eds_cluster_config",
    "connect_timeout",
    "per_connection_buffer_limit_bytes",
    "lb_policy",
    "load_balancing_policy",
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
    "transport_socket",
    "transport_socket_matches",
    "outlier_detection",
    "health_checks",
    "ring_hash_lb_config",
    "lb_subset_config",
    "original_dst_lb_config",
    "maglev_lb_config",
    "dns_refresh_rate",
    "dns_failure_refresh_rate",
    "respect_dns_ttl",
    "dns_lookup_family",
    "wait_for_warm_on_init",
    "cleanup_interval",
    "upstream_connection_options",
    "upstream_http_protocol_options",
    "track_cluster_stats",
  ]);
  if (message.name === "") throw rejection("name", "is empty");
  const { trackClusterStats: tracked } = message;
  if (tracked !== undefined) refuseOthers(TrackClusterStatsSchema, tracked, "track_cluster_stats.", []);
  const options = readProtocolOptions(message);
  const withAuto = readAutoServerName(message);
  const config: ClusterConfig = {
    ...clusterDefaults,
    name: message.name,
    ...(message.altStatName === "" ? {} : { statName: message.altStatName }),
    ...(message.metadata === undefined ? {} : { metadata: message.metadata.filterMetadata }),
    ...readBalancing(message),
    subsets: readSubsets(message.lbSubsetConfig),
    originalDestination: readOriginalDestination(message),
    aggregates: readAggregate(message),
    connectTimeoutMs: durationMs(message.connectTimeout, clusterDefaults.connectTimeoutMs, "connect_timeout"),
    highWatermarkBytes: message.perConnectionBufferLimitBytes ?? clusterDefaults.highWatermarkBytes,
    tls: withAuto(readUpstreamTls(message.transportSocket, secrets)),
    tlsMatches: readTlsMatches(message, secrets).map(({ match, tls }) => ({ match, tls: withAuto(tls) })),
    keepAlive: readKeepAlive(message),
    ...readBreakers(message.circuitBreakers),
    outlierDetection: readOutlierDetection(message.outlierDetection),
    healthChecks: readHealthChecks(message.healthChecks, message.name, options.protocol),
    // The one host of LOGICAL_DNS has moved, whether its old address still answers or not.
    removesPassingHosts:
      message.ignoreHealthOnHostRemoval || message.clusterDiscoveryType.value === Cluster_DiscoveryType.LOGICAL_DNS,
    ...options,
    maxRequestsPerConnection: message.maxRequestsPerConnection ?? options.maxRequestsPerConnection,
  };
  if (config.protocol === ALPN_PROTOCOL && config.tls === undefined)
    throw rejection("transport_socket", "is missing: with auto_config the TLS handshake tells what a host speaks");
  return {
    config,
    discovery: readDiscovery(message),
    secretNames: [config.tls, ...(config.tlsMatches ?? []).map(({ tls }) => tls)].flatMap(
      (tls) => tls?.secretNames ?? [],
    ),
  };
}

function readKeepAlive({ upstreamConnectionOptions: options }: Cluster): TcpKeepAlive | undefined {
  if (options === undefined) return undefined;
  refuseOthers(UpstreamConnectionOptionsSchema, options, "upstream_connection_options.", ["tcp_keepalive"]);
  const keepAlive = options.tcpKeepalive;
  if (keepAlive === undefined) return undefined;
  const ms = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000);
  return {
    timeMs: ms(keepAlive.keepaliveTime),
    intervalMs: ms(keepAlive.keepaliveInterval),
    probes: keepAlive.keepaliveProbes,
  };
}

/** Of clusters that have none of their own. */
const noHosts: Discovery = {
  kind: "static",
  assignment: { hosts: [], policy: {} },
};

function readDiscovery(message: Cluster): Discovery {
  if (message.clusterDiscoveryType.case === "clusterType") return noHosts;
  const type =
    message.clusterDiscoveryType.case === "type" ? message.clusterDiscoveryType.value : Cluster_DiscoveryType.STATIC;
  switch (type) {
    case Cluster_DiscoveryType.STATIC:
      if (message.loadAssignment === undefined) throw rejection("load_assignment", "is missing in a STATIC cluster");
      return { kind: "static", assignment: readLoadAssignment(message.loadAssignment, "load_assignment.") };
    case Cluster_DiscoveryType.STRICT_DNS:
    case Cluster_DiscoveryType.LOGICAL_DNS:
      return { kind: "dns", dns: readDnsDiscovery(message, type === Cluster_DiscoveryType.LOGICAL_DNS) };
    case Cluster_DiscoveryType.EDS: {
      if (message.edsClusterConfig === undefined) throw rejection("eds_cluster_config", "is missing in an EDS cluster");
      checkAds(message.edsClusterConfig.edsConfig, "eds_cluster_config.eds_config");
      const { serviceName } = message.edsClusterConfig;
      return { kind: "eds", name: serviceName === "" ? message.name : serviceName };
    }
    case Cluster_DiscoveryType.ORIGINAL_DST:
      return noHosts;
  }
}
