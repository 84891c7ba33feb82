export type BalancerName = "round_robin" | "random" | "least_request";

/** How many of a thing a cluster may have at the same time; what is beyond fails at once with `overflow`. */
export interface CircuitBreakers {
  /** @default 1024. Soft: a host without a connection always gets one. */
  readonly maxConnections: number;
  /** Requests that wait for a connection. @default 1024 */
  readonly maxPendingRequests: number;
  /** @default 1024 */
  readonly maxRequests: number;
  /** Retries under way. @default 3 */
  readonly maxRetries: number;
}

export const defaultCircuitBreakers: CircuitBreakers = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};

/** An upstream cluster without its hosts. Immutable: a change is a new cluster. */
export interface ClusterConfig {
  readonly name: string;
  /** A name in the registry of stream factories. */
  readonly protocol: string;
  readonly balancer: BalancerName;
  /** Of least_request: how many hosts are compared. @default 2 */
  readonly choiceCount: number;
  /** @default 5000 */
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept. @default 4000: below the 5 s after which Node's servers close theirs */
  readonly idleTimeoutMs: number;
  /** 0 = any number. @default 0 */
  readonly maxRequestsPerConnection: number;
  /** Bytes waiting to be sent to a host at which a stream is told to stop. @default 1048576 */
  readonly highWatermarkBytes: number;
  readonly circuitBreakers: CircuitBreakers;
  /** Below this share of healthy hosts, in percent, health is ignored: better a bad host than none. 0 = never. @default 50 */
  readonly healthyPanicPercent: number;
}

export const clusterDefaults: Omit<ClusterConfig, "name"> = {
  protocol: "http1",
  balancer: "round_robin",
  choiceCount: 2,
  connectTimeoutMs: 5000,
  idleTimeoutMs: 4000,
  maxRequestsPerConnection: 0,
  highWatermarkBytes: 1024 * 1024,
  circuitBreakers: defaultCircuitBreakers,
  healthyPanicPercent: 50,
};

export type HostHealth = "healthy" | "degraded" | "unhealthy" | "draining";

/** One endpoint of an assignment. */
export interface HostSpec {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** 1 to 4294967295, relative to the other hosts. */
  readonly weight: number;
  readonly health: HostHealth;
}
