export { type AssignmentPolicy } from "./assignment-policy.ts";
export type { Balancer, WeightedHost } from "./balancer.ts";
export { type BalancerOptions, createBalancer } from "./create-balancer.ts";
export { CircuitBreaker } from "./circuit-breaker.ts";
export { Cluster, type ClusterContext } from "./cluster.ts";
export {
  type BalancerName,
  type Balancing,
  type CircuitBreakers,
  type CheckedAt,
  type ClusterConfig,
  clusterDefaults,
  defaultCircuitBreakers,
  defaultHighCircuitBreakers,
  type HostHealth,
  type HostSpec,
  type RetryBudget,
  type TlsMatch,
} from "./cluster-config.ts";
export { ClusterManager } from "./cluster-manager.ts";
export { ClusterStats } from "./cluster-stats.ts";
export { ALPN_PROTOCOL } from "./connection-pool-by-alpn.ts";
export { CLIENT_PROTOCOL } from "./connection-pool-by-client.ts";
export { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";
export { type HealthCheck } from "./health-check-config.ts";
export {
  connectHost,
  type ConnectSettings,
  type TcpKeepAlive,
  type UpstreamTls,
  type AutoServerName,
} from "./host-connect.ts";
export { type Destination, type HostChoice } from "./host-choice.ts";
export { TunnelPool } from "./tunnel-pool.ts";
export { Host, hostKey, type HostMonitor } from "./host.ts";
export { type HostConnectionCount, HostConnections } from "./host-connections.ts";
export { healthOf, type HostEntry, HostSet } from "./host-set.ts";
export { type OriginalDestination } from "./original-destinations.ts";
export { type OutlierDetection, outlierDefaults, type Threshold } from "./outlier-config.ts";
export { type PeerCheck, peerProblem, type PeerProblem } from "./peer-check.ts";
export {
  canonicalJson,
  type HostMetadata,
  type MetadataMatch,
  type SubsetConfig,
  type SubsetFallback,
  type SubsetSelector,
} from "./subset-config.ts";
export { type HealthReport, type HealthReporter } from "./reported-health.ts";
export { type SlowStart } from "./slow-start.ts";
export { type PemSource, TlsFiles, type TlsMaterial, type TlsSessions } from "./tls-files.ts";
export { type CertificateProblem, TlsStats } from "./tls-stats.ts";
export {
  type PemCertificates,
  SECRET_MISSING,
  type TlsCertificates,
  type TlsSource,
  type TlsTerms,
} from "./tls-source.ts";
export { type ZoneAwareRouting } from "./zone-aware.ts";
export { xxHash64 } from "./xx-hash.ts";
