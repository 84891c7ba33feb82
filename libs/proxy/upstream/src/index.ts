export { type Balancer, type BalancerOptions, createBalancer, type WeightedHost } from "./balancer.ts";
export { Cluster, type ClusterContext } from "./cluster.ts";
export {
  type BalancerName,
  type CircuitBreakers,
  type ClusterConfig,
  clusterDefaults,
  defaultCircuitBreakers,
  type HostHealth,
  type HostSpec,
} from "./cluster-config.ts";
export { ClusterManager } from "./cluster-manager.ts";
export { ClusterStats } from "./cluster-stats.ts";
export { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";
export { Host, hostKey } from "./host.ts";
export { type HostEntry, type HostSet } from "./host-set.ts";
