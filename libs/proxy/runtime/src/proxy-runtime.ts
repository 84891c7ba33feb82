import { Dispatcher } from "@fairlead/dispatcher";
import { type ServerHealth, type StreamInfo, VirtualHostStats } from "@fairlead/proxy-filter";
import { type OverloadManager, OverloadStats } from "@fairlead/proxy-overload";
import { HeaderMap, Http2Stats } from "@fairlead/proxy-stream";
import { ClusterManager, type Host } from "@fairlead/proxy-upstream";
import { type HistogramTotals, localStats, totalOf } from "@fairlead/stat-cells";
import { AppliedConfiguration } from "./applied-configuration.ts";
import { LogFileStats } from "./access-log/log-file.ts";
import { LogFiles } from "./access-log/log-files.ts";
import { type ClusterStatus, clusterStatus, type HostCounts, hostCountsOf } from "./cluster/cluster-status.ts";
import { ClusterStore } from "./cluster/cluster-store.ts";
import { DnsHosts, systemResolve } from "./cluster/dns-hosts.ts";
import type { TypeInForce } from "./config-dump/config-in-force.ts";
import type { DrainOptions } from "./drain-options.ts";
import { ListenerSockets } from "./listener/listener-sockets.ts";
import type { ListenerStatus } from "./listener/listener-status.ts";
import { ListenerStore } from "./listener/listener-store.ts";
import { watchOverload } from "./overload.ts";
import { waitForQuiet } from "./quiet-wait.ts";
import { RouteStore } from "./route-store.ts";
import type { ProxyRuntimeOptions, RuntimeLogger } from "./runtime-options.ts";
import { collectHistograms } from "./runtime-histograms.ts";
import { collectStats } from "./runtime-stats.ts";
import { type CertificateReport, FirstExpiry } from "./secrets/certificate-report.ts";
import { SecretStore } from "./secrets/secret-store.ts";
import { NewerFields } from "./translate/newer-fields.ts";
import type { Watchdog } from "./watchdog/watchdog.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

export const DEFAULT_DRAIN_TIMEOUT_MS = 20_000;
const DEFAULT_MAX_CONNECTIONS = 10_000;

/**
 * The data plane: xDS resources in, a running proxy out.
 *
 * ```
 *   CDS, EDS ─▶ ClusterStore ─▶ ClusterManager ◀─── requests
 *   LDS ─▶ ListenerStore ─▶ ManagedListener ─▶ ConnectionManager
 *   RDS ─▶ RouteStore ───────────▲
 * ```
 */
export class ProxyRuntime {
  readonly #logger: RuntimeLogger;
  readonly #now: () => number;
  readonly #manager: ClusterManager;
  readonly #clusters: ClusterStore;
  readonly #listeners: ListenerStore;
  readonly #configuration: AppliedConfiguration;
  readonly #sockets: ListenerSockets;
  readonly #overload: OverloadManager | undefined;
  readonly #watchdog: Watchdog | undefined;
  readonly #overloadStats: OverloadStats | undefined;
  readonly #newer: NewerFields;
  readonly #logFiles: LogFiles;
  readonly #health: ServerHealth = { failed: false };
  readonly #http2Stats: Http2Stats;
  readonly #virtualHostStats: VirtualHostStats;
  /** What this thread does later. */
  readonly #dispatcher: Dispatcher;
  readonly #listenerListeners = new Set<() => void>();
  readonly #expiry = new FirstExpiry(() => this.certificates());

  constructor(options: ProxyRuntimeOptions) {
    this.#logger = options.logger;
    this.#now = options.now ?? (() => performance.now());
    const random = options.random ?? Math.random;
    this.#dispatcher = new Dispatcher({ now: this.#now });
    const { wheel } = this.#dispatcher;
    const stats = options.stats ?? localStats;
    this.#http2Stats = stats.create("http2", Http2Stats);
    this.#virtualHostStats = stats.create("vhost", VirtualHostStats);
    this.#manager = new ClusterManager({
      wheel,
      random,
      now: this.#now,
      stats,
      reporter: options.reporter,
      zone: options.zone,
      onHealth: options.onHealth,
    });
    const resolve = options.resolveName ?? systemResolve;
    this.#newer = new NewerFields(options.unknownFields ?? "refuse", options.logger);
    const secrets = new SecretStore(this.#newer);
    const watchNames = options.watchNames ?? ((_cluster, watch) => new DnsHosts({ ...watch, resolve }));
    const onClusters = (): void => this.#configuration.onClustersChanged();
    this.#clusters = new ClusterStore(this.#manager, secrets, watchNames, onClusters, this.#newer, options.common);
    this.#logFiles = new LogFiles(
      (target, error) =>
        options.logger.error({ err: error, target }, "an access log cannot be written; its lines are lost"),
      stats.create("filesystem", LogFileStats),
    );
    this.#watchdog = options.watchdog;
    if (options.overload !== undefined) {
      this.#overloadStats = stats.create("overload", OverloadStats);
      this.#overload = watchOverload(options.overload, {
        stats: this.#overloadStats,
        logger: options.logger,
        connections: () => this.#sockets.activeConnections,
        loopDelayMs: options.loopDelayMs,
        onChange: (action, active) => {
          if (action === "reduce_timeouts" && active) this.#listeners.reduceIdleTime();
          if (this.#overload?.state.stopsConnections === false) this.#sockets.release();
        },
      });
    }
    const overload = this.#overload?.state;
    this.#sockets = new ListenerSockets({
      source: options.sockets,
      reusePort: options.reusePort ?? false,
      portOf: options.portOf,
      maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      overload,
      stats,
      onFailure: (error) => options.logger.error({ err: error }, "a socket that was handed over cannot be listened on"),
    });
    const routes = new RouteStore(this.#newer, options.common);
    this.#listeners = new ListenerStore({
      newer: this.#newer,
      common: options.common,
      ...(overload === undefined ? {} : { overload }),
      clusters: this.#manager,
      wheel,
      now: this.#now,
      random,
      stats,
      http2Stats: this.#http2Stats,
      virtualHostStats: this.#virtualHostStats,
      health: this.#health,
      routes: (name) => routes.get(name),
      secrets,
      sockets: this.#sockets,
      drainTimeoutMs: options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS,
      logger: options.logger,
      accessLog: options.accessLog === true ? (listener, info) => this.#logRequest(listener, info) : undefined,
      accessLogs: options.accessLogs ?? [],
      logFiles: this.#logFiles,
      onInternalError: (error) => options.logger.error({ err: error }, "a request failed inside the proxy"),
      onChange: () => this.#tellListeners(),
    });
    this.#configuration = new AppliedConfiguration({
      logger: options.logger,
      clusters: this.#clusters,
      secrets,
      routes,
      listeners: this.#listeners,
      onChange: () => this.#tellListeners(),
    });
  }

  /** As `AppliedConfiguration.apply`. */
  apply(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    return this.#configuration.apply(typeUrl, resources);
  }

  wantedNames(typeUrl: string): readonly string[] | undefined {
    return this.#configuration.wantedNames(typeUrl);
  }

  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void {
    return this.#configuration.onWantedNamesChanged(listener);
  }

  clustersInitialized(): boolean {
    return this.#configuration.clustersInitialized();
  }

  onClustersInitialized(listener: () => void): void {
    this.#configuration.onClustersInitialized(listener);
  }

  giveUpOn(typeUrl: string): void {
    this.#configuration.giveUpOn(typeUrl);
  }

  configDump(): readonly TypeInForce[] {
    return this.#configuration.dump();
  }

  missingSecrets(): readonly string[] {
    return this.#configuration.missingSecrets();
  }

  certificates(): readonly CertificateReport[] {
    return this.#configuration.certificates();
  }

  listeners(): readonly ListenerStatus[] {
    return this.#listeners.statuses();
  }

  /** Called when a listener appeared, went, changed its state or its configuration, or may route differently. @returns unsubscribe */
  onListenersChanged(listener: () => void): () => void {
    this.#listenerListeners.add(listener);
    return () => this.#listenerListeners.delete(listener);
  }

  /**
   * The clusters that this listener may send a GET to now; undefined while it warms, has no route, or none of them is there.
   *
   * @param headers name, value … in lower case; `x-rpc-protocol` for a call of an RPC protocol
   */
  routeFor(
    listenerName: string,
    host: string,
    path = "/",
    headers: readonly string[] = [],
  ): { readonly clusters: readonly string[] } | undefined {
    const route = this.#listeners.get(listenerName)?.table?.find({
      method: "GET",
      path,
      authority: host,
      scheme: "http",
      headers: new HeaderMap([...headers]),
    });
    const clusters = (route?.clusterNames ?? []).filter((name) => this.#manager.get(name) !== undefined);
    return clusters.length === 0 ? undefined : { clusters };
  }

  /** Requests under way to this cluster. */
  activeRequests(cluster: string): number {
    const stats = this.#manager.statsOf(cluster);
    return stats === undefined ? 0 : totalOf(stats).upstream_rq_active;
  }

  /** @returns true when there was no request to the cluster for `quietMs` in a row, false at `timeoutMs` */
  whenIdle(cluster: string, wait: { readonly quietMs: number; readonly timeoutMs: number }): Promise<boolean> {
    const activity = (): number | undefined => {
      const stats = this.#manager.statsOf(cluster);
      if (stats === undefined) return 0;
      const total = totalOf(stats);
      return total.upstream_rq_active > 0 ? undefined : total.upstream_rq_total;
    };
    return waitForQuiet(activity, this.#now, wait);
  }

  /** Hosts and counters of each cluster: for the admin's /clusters. */
  clusterStats(): readonly ClusterStatus[] {
    return [...this.#manager.all()].map((cluster) => clusterStatus(cluster));
  }

  /** @param host `address:port` */
  hostOf(cluster: string, host: string): Host | undefined {
    return this.#manager.get(cluster)?.hosts.byKey.get(host);
  }

  /** What this thread has with its hosts. */
  hostCounts(): readonly HostCounts[] {
    return [...this.#manager.all()].flatMap((cluster) => hostCountsOf(cluster));
  }

  /** Counters and gauges by their Envoy names (`http.inbound.downstream_rq_total`, `cluster.x.upstream_cx_total`). */
  stats(): ReadonlyMap<string, number> {
    const listeners = [...this.#listeners.all()].map((it) => {
      const { address, port } = it.status();
      return {
        address: `${address}_${port}`,
        prefix: it.translated.statPrefix || `${address}_${port}`,
        stats: it.stats,
      };
    });
    const prefixes = new Map(listeners.map(({ address, prefix }) => [address, prefix]));
    const stats = collectStats({
      http: this.#listeners.stats(),
      rpc: this.#listeners.rpcStats(),
      tcp: this.#listeners.tcpStats(),
      listeners: listeners.map(({ prefix, stats: own }) => [prefix, own] as const),
      sockets: [...this.#sockets.stats()].map(([address, own]) => [prefixes.get(address) ?? address, own] as const),
      overload: this.#overloadStats,
      threads: this.#watchdog?.stats() ?? [],
      clusters: this.#manager.all(),
      updates: this.#configuration.updates,
      routes: this.#listeners
        .routeUsers()
        .map(([prefix, name]) => [prefix, name, this.#configuration.routeUpdates.of(name)] as const),
      http2: this.#http2Stats,
      virtualHosts: this.#virtualHostStats,
      logs: this.#logFiles.stats,
    });
    stats.set("server.dynamic_unknown_fields", this.#newer.count);
    const days = this.#expiry.days();
    if (days !== undefined) stats.set("server.days_until_first_cert_expiring", days);
    return stats;
  }

  /** How long requests and connections took, by Envoy's names; what has recorded nothing is not there. */
  histograms(): ReadonlyMap<string, HistogramTotals> {
    return collectHistograms({
      http: this.#listeners.stats(),
      rpc: this.#listeners.rpcStats(),
      clusters: this.#manager.all(),
    });
  }

  /** After a rotation of access logs: what comes from now on goes to the files that have the names now. */
  async reopenLogs(): Promise<void> {
    await this.#logFiles.reopen();
  }

  /** Stops accepting and ends connections, within `drainTimeoutMs`. One that is under way is hastened by one "at once". */
  async drain(options: DrainOptions = {}): Promise<void> {
    // What is being bound is drained, too; nothing that comes later waits for it.
    await this.#configuration.settled();
    await this.#listeners.drain(options);
  }

  /** POST /healthcheck/fail and /ok: while it fails, every response ends its connection, and the health check filter says 503. */
  failHealthCheck(failed: boolean): void {
    this.#health.failed = failed;
  }

  /** Ends all connections now. */
  async close(): Promise<void> {
    this.#overload?.close();
    this.#watchdog?.close();
    this.#listeners.destroy();
    this.#clusters.close();
    this.#manager.destroy();
    await this.#configuration.settled();
    await this.#logFiles.close();
    this.#dispatcher.exit();
  }

  #tellListeners(): void {
    for (const listener of this.#listenerListeners) listener();
  }

  #logRequest(listener: string, info: StreamInfo): void {
    const durationMs = Math.round((this.#now() - info.startMs) * 1000) / 1000;
    this.#logger.info(Object.assign({ listener, durationMs }, info), "request");
  }
}
