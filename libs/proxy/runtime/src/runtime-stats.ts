import type { HttpStats, TcpStats, VirtualHostStats } from "@fairlead/proxy-filter";
import type { Http2Stats } from "@fairlead/proxy-stream";
import { numbersOf } from "@fairlead/stat-cells";
import type { ListenerStats } from "./listener/listener-stats.ts";
import type { LogFileStats } from "./access-log/log-file.ts";
import type { CircuitBreaker, Cluster, TlsStats } from "@fairlead/proxy-upstream";

/** Counts of one xDS type's responses, by Envoy's names. */
export class UpdateStats {
  update_attempt = 0;
  update_success = 0;
  update_rejected = 0;
}

export interface StatsSource {
  readonly http: ReadonlyMap<string, HttpStats>;
  readonly rpc: ReadonlyMap<string, HttpStats>;
  readonly tcp: ReadonlyMap<string, TcpStats>;
  /** By `address_port`, or what the listener wants to be called instead. */
  readonly listeners: Iterable<readonly [address: string, stats: ListenerStats]>;
  /** By the same. */
  readonly sockets: Iterable<readonly [address: string, stats: object]>;
  readonly overload: object | undefined;
  /** With their whole names. */
  readonly threads: Iterable<readonly [name: string, value: number]>;
  readonly clusters: Iterable<Cluster>;
  readonly updates: ReadonlyMap<string, UpdateStats>;
  /** With the prefix of who takes it over RDS, and its name. */
  readonly routes: Iterable<readonly [prefix: string, name: string, stats: object]>;
  /** Of the connections of clients. */
  readonly http2: Http2Stats;
  readonly virtualHosts: VirtualHostStats;
  readonly logs: LogFileStats;
}

/** All counters and gauges under their full names. */
export function collectStats(source: StatsSource): Map<string, number> {
  const stats = new Map<string, number>();
  for (const [prefix, http] of source.http) addRequests(stats, `http.${prefix}`, http);
  for (const [prefix, rpc] of source.rpc) addRequests(stats, `rpc.${prefix}`, rpc);
  for (const [prefix, tcp] of source.tcp) add(stats, `tcp.${prefix}`, tcp);
  for (const [address, listener] of source.listeners) addListener(stats, `listener.${address}`, listener);
  for (const [address, socket] of source.sockets) addUp(stats, numbersUnder(`listener.${address}`, socket));
  for (const [name, value] of source.threads) stats.set(name, value);
  if (source.overload !== undefined) add(stats, "overload", source.overload);
  for (const cluster of source.clusters) addCluster(stats, cluster);
  add(stats, "http2", source.http2);
  for (const [name, value] of source.virtualHosts.byName.entries()) stats.set(name, value);
  add(stats, "filesystem", source.logs);
  for (const [prefix, updates] of source.updates) add(stats, prefix, updates);
  for (const [prefix, name, updates] of source.routes) add(stats, `${prefix}.rds.${name}`, updates);
  return stats;
}

/** Several listeners may be called the same (Envoy's stat_prefix): they are counted together. */
function addListener(all: Map<string, number>, prefix: string, group: ListenerStats): void {
  const stats = numbersUnder(prefix, group);
  for (const [name, value] of group.ofFilters.entries()) stats.set(`${prefix}.${name}`, value);
  addTls(stats, `${prefix}.ssl`, group.ssl);
  addUp(all, stats);
}

function addTls(stats: Map<string, number>, prefix: string, group: TlsStats): void {
  add(stats, prefix, group);
  for (const [name, value] of group.byName.entries()) stats.set(`${prefix}.${name}`, value);
}

function addRequests(stats: Map<string, number>, prefix: string, group: HttpStats): void {
  add(stats, prefix, group);
  for (const [name, value] of group.ofFilters.entries()) stats.set(`${prefix}.${name}`, value);
}

/** What a cluster's statistics begin with. */
export function clusterPrefix({ name, statName }: Cluster["config"]): string {
  return `cluster.${statName?.replaceAll(":", "_") ?? name}`;
}

/** Several clusters may be called the same (Envoy's alt_stat_name): they are counted together. */
function addCluster(all: Map<string, number>, { config, stats: own, breaker, highBreaker }: Cluster): void {
  const prefix = clusterPrefix(config);
  const stats = numbersUnder(prefix, own);
  add(stats, `${prefix}.http2`, own.http2);
  // As in Envoy only clusters with TLS have its statistics.
  if (config.tls !== undefined || (config.tlsMatches?.length ?? 0) > 0) addTls(stats, `${prefix}.ssl`, own.ssl);
  add(stats, `${prefix}.outlier_detection`, own.outlier);
  add(stats, `${prefix}.health_check`, own.healthCheck);
  for (const [i, count] of own.byStatus.totals().entries())
    if (count > 0) stats.set(`${prefix}.upstream_rq_${own.byStatus.first + i}`, count);
  addBreaker(stats, `${prefix}.circuit_breakers.default`, breaker);
  addBreaker(stats, `${prefix}.circuit_breakers.high`, highBreaker);
  addUp(all, stats);
}

function numbersUnder(prefix: string, group: object): Map<string, number> {
  const stats = new Map<string, number>();
  add(stats, prefix, group);
  return stats;
}

function addUp(all: Map<string, number>, stats: ReadonlyMap<string, number>): void {
  for (const [name, value] of stats) all.set(name, value + (all.get(name) ?? 0));
}

function addBreaker(stats: Map<string, number>, prefix: string, { inUse, limits, maxRetries }: CircuitBreaker): void {
  const used = [
    ["cx_open", "remaining_cx", inUse.upstream_cx_active, limits.maxConnections],
    ["rq_pending_open", "remaining_pending", inUse.upstream_rq_pending_active, limits.maxPendingRequests],
    ["rq_open", "remaining_rq", inUse.upstream_rq_active, limits.maxRequests],
    ["rq_retry_open", "remaining_retries", inUse.upstream_rq_retry_active, Math.trunc(maxRetries)],
  ] as const;
  for (const [open, remaining, active, limit] of used) {
    stats.set(`${prefix}.${open}`, active >= limit ? 1 : 0);
    if (limits.trackRemaining === true) stats.set(`${prefix}.${remaining}`, Math.max(0, limit - active));
  }
}

function add(stats: Map<string, number>, prefix: string, group: object): void {
  for (const [name, value] of numbersOf(group)) stats.set(`${prefix}.${name}`, value);
}
