import type { Http1Options, Http2Options } from "@fairlead/proxy-stream";
import type { HealthCheck } from "./health-check-config.ts";
import type { HostConnections } from "./host-connections.ts";
import type { ConnectSettings, UpstreamTls } from "./host-connect.ts";
import type { OriginalDestination } from "./original-destinations.ts";
import type { OutlierDetection } from "./outlier-config.ts";
import type { SlowStart } from "./slow-start.ts";
import type { ZoneAwareRouting } from "./zone-aware.ts";
import type { HostMetadata, MetadataMatch, SubsetConfig } from "./subset-config.ts";

export type BalancerName = "round_robin" | "random" | "least_request" | "ring_hash" | "maglev";

/** How a host is chosen. */
export interface Balancing {
  readonly name: BalancerName;
  /** Of least_request: how many hosts are compared. @default 2 */
  readonly choiceCount: number;
  /** Of least_request: how much requests under way count against a weight. @default 1 */
  readonly activeRequestBias: number;
  /** Of round_robin and least_request. @default off */
  readonly slowStart: SlowStart | undefined;
  /** Of ring_hash. @default 1024 */
  readonly minRingSize: number;
  /** Of ring_hash. @default 8388608 */
  readonly maxRingSize: number;
  /** Of maglev; a prime. @default 65537 */
  readonly tableSize: number;
  /** Of ring_hash and maglev: how much of the average load a host may have, in percent; others get what is more. @default any */
  readonly hashBalancePercent?: number | undefined;
}

/** How many of a thing the requests of one priority may have at the same time; what is beyond fails at once with `overflow`. */
export interface CircuitBreakers {
  /** @default "default" */
  readonly priority?: "default" | "high";
  /** @default 1024. Soft: a host without a connection always gets one. */
  readonly maxConnections: number;
  /** Of each host, besides `maxConnections`. @default any number */
  readonly maxConnectionsPerHost?: number | undefined;
  /** Requests that wait for a connection. @default 1024 */
  readonly maxPendingRequests: number;
  /** @default 1024 */
  readonly maxRequests: number;
  /** Retries under way. @default 3 */
  readonly maxRetries: number;
  /** In the place of `maxRetries`. */
  readonly retryBudget?: RetryBudget | undefined;
  /** Shows in the statistics how much is left. @default false */
  readonly trackRemaining?: boolean;
}

/** Retries in proportion to requests. */
export interface RetryBudget {
  /** Of the requests under way. @default 20 */
  readonly percent: number;
  /** Allowed in any case. @default 3 */
  readonly minConcurrency: number;
}

export const defaultCircuitBreakers: CircuitBreakers = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};
export const defaultHighCircuitBreakers: CircuitBreakers = { ...defaultCircuitBreakers, priority: "high" };

/** How hosts with certain metadata are connected to (Envoy's transport_socket_matches). */
export interface TlsMatch {
  /** Of the namespace `envoy.transport_socket_match`; empty = any host. */
  readonly match: MetadataMatch;
  /** undefined: plain */
  readonly tls: UpstreamTls | undefined;
}

/** An upstream cluster without its hosts. Immutable: a change is a new cluster. */
export interface ClusterConfig extends ConnectSettings {
  readonly name: string;
  /** What statistics and logs call it. @default its name */
  readonly statName?: string | undefined;
  /** What the control plane says of it, by namespace: for logs and header values. @default nothing */
  readonly metadata?: Readonly<Record<string, HostMetadata>> | undefined;
  /** A name in the registry of stream factories, or `CLIENT_PROTOCOL`. */
  readonly protocol: string;
  /** @default the codec's */
  readonly http1?: Http1Options | undefined;
  /** `maxConcurrentStreams`: of one connection, whatever the host allows. @default the codec's; 1024 streams */
  readonly http2?: Omit<Http2Options, "stats"> | undefined;
  readonly balancing: Balancing;
  /** Localities get requests by their weights. @default false */
  readonly localityWeighted: boolean;
  /** Requests stay in this proxy's zone, where it is known and hosts suffice. @default they do not */
  readonly zoneAware?: ZoneAwareRouting | undefined;
  /** How much a priority is thought to be able to take when hosts are missing, in percent. @default 140 */
  readonly overprovisioningPercent: number;
  /** @default 5000 */
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept. @default 4000: below the 5 s after which Node's servers close theirs */
  readonly idleTimeoutMs: number;
  /** 0 = any number. @default 0 */
  readonly maxRequestsPerConnection: number;
  /** A connection that is older takes no more requests; 0 = any age. @default 0 */
  readonly maxConnectionDurationMs: number;
  /** Of a request with its response, from when it has a connection; 0 = none. @default 0 */
  readonly maxStreamDurationMs?: number;
  /** Bytes waiting to be sent to a host at which a stream is told to stop. @default 1048576 */
  readonly highWatermarkBytes: number;
  readonly circuitBreakers: CircuitBreakers;
  /** What `maxConnectionsPerHost` goes by. @default each pool's own connections */
  readonly hostConnections?: HostConnections | undefined;
  /** Of requests of high priority. @default the same numbers */
  readonly highCircuitBreakers: CircuitBreakers;
  /** Below this share of healthy hosts, in percent, health is ignored: better a bad host than none. 0 = never. @default 50 */
  readonly healthyPanicPercent: number;
  readonly outlierDetection?: OutlierDetection | undefined;
  readonly healthChecks?: readonly HealthCheck[];
  /** Hosts that are not assigned any more go at once, in the place of when their health check fails. @default false */
  readonly removesPassingHosts?: boolean;
  /** @default hosts are not divided */
  readonly subsets?: SubsetConfig | undefined;
  /** Hosts that say such things of themselves are connected to in another way; the first that fits. @default none */
  readonly tlsMatches?: readonly TlsMatch[];
  /** Hosts are those of other clusters, in this order. @default its own */
  readonly aggregates?: readonly string[] | undefined;
  /** Hosts are what requests say. @default hosts are assigned */
  readonly originalDestination?: OriginalDestination | undefined;
}

export const clusterDefaults: Omit<ClusterConfig, "name"> = {
  protocol: "http1",
  balancing: {
    name: "round_robin",
    choiceCount: 2,
    activeRequestBias: 1,
    slowStart: undefined,
    minRingSize: 1024,
    maxRingSize: 8_388_608,
    tableSize: 65_537,
  },
  localityWeighted: false,
  overprovisioningPercent: 140,
  connectTimeoutMs: 5000,
  idleTimeoutMs: 4000,
  maxRequestsPerConnection: 0,
  maxConnectionDurationMs: 0,
  highWatermarkBytes: 1024 * 1024,
  circuitBreakers: defaultCircuitBreakers,
  highCircuitBreakers: defaultHighCircuitBreakers,
  healthyPanicPercent: 50,
};

export type HostHealth = "healthy" | "degraded" | "unhealthy" | "draining";

/** How a host is checked, where that is not as for the others of its cluster. */
export interface CheckedAt {
  /** An IP address. @default its own */
  readonly address?: string | undefined;
  /** @default the check's, or its own */
  readonly port?: number | undefined;
  /** What it is called in the check. @default the check's */
  readonly hostname?: string | undefined;
  /** It is not checked, and taken for healthy. @default false */
  readonly disabled?: boolean;
}

/** One endpoint of an assignment. */
export interface HostSpec {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** 1 to 4294967295, relative to the other hosts. */
  readonly weight: number;
  readonly health: HostHealth;
  readonly hostname?: string;
  readonly checkedAt?: CheckedAt | undefined;
  /** 0 is the first; the next ones are for when it cannot take all. @default 0 */
  readonly priority?: number;
  /** `region/zone/subzone`. */
  readonly locality?: string;
  /** Relative to the other localities; 0 = none of its hosts is used. Only for clusters that weight localities. @default 1 */
  readonly localityWeight?: number;
  /** What it is hashed by. @default address:port */
  readonly hashKey?: string;
  /** Of the namespace `envoy.lb`: what it may be chosen by. */
  readonly metadata?: HostMetadata;
  /** What the control plane says of it in any namespace: for logs and header values. @default nothing */
  readonly allMetadata?: Readonly<Record<string, HostMetadata>> | undefined;
  /** Of the namespace `envoy.transport_socket_match`. */
  readonly tlsMetadata?: HostMetadata | undefined;
}
