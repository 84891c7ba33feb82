import { Dispatcher } from "@fairlead/dispatcher";
import { shortTypeName, typeUrls } from "@fairlead/envoy-api";
import type { ServerHealth, StreamInfo } from "@fairlead/proxy-filter";
import { type OverloadManager, OverloadStats } from "@fairlead/proxy-overload";
import { HeaderMap, Http2Stats } from "@fairlead/proxy-stream";
import { ClusterManager, type Host } from "@fairlead/proxy-upstream";
import { localStats, totalOf } from "@fairlead/stat-cells";
import { LogFileStats } from "./access-log/log-file.ts";
import { LogFiles } from "./access-log/log-files.ts";
import { type ClusterStatus, clusterStatus, type HostCounts, hostCountsOf } from "./cluster-status.ts";
import { ClusterStore } from "./cluster-store.ts";
import { DnsHosts, systemResolve } from "./dns-hosts.ts";
import type { DrainOptions } from "./drain-options.ts";
import { renderConfigDump } from "./config-dump.ts";
import { ListenerSockets } from "./listener-sockets.ts";
import type { ListenerStatus } from "./listener-status.ts";
import { ListenerStore } from "./listener-store.ts";
import { watchOverload } from "./overload.ts";
import { waitForQuiet } from "./quiet-wait.ts";
import { RouteStore } from "./route-store.ts";
import type { ProxyRuntimeOptions, RuntimeLogger } from "./runtime-options.ts";
import { collectStats, UpdateStats } from "./runtime-stats.ts";
import { type CertificateReport, FirstExpiry, reportCertificates } from "./secrets/certificate-report.ts";
import { SecretStore } from "./secrets/secret-store.ts";
import { tlsOf } from "./translate/listener.ts";
import type { Watchdog } from "./watchdog/watchdog.ts";
import type { XdsRejection, XdsResource } from "./xds-resource.ts";

const DEFAULT_DRAIN_TIMEOUT_MS = 20_000;
const DEFAULT_MAX_CONNECTIONS = 10_000;

/** By Envoy's names of the managers that count them. */
const updatePrefixes: Readonly<Record<string, string>> = {
  [typeUrls.cluster]: "cluster_manager.cds",
  [typeUrls.listener]: "listener_manager.lds",
  [typeUrls.endpoint]: "cluster_manager.eds",
  [typeUrls.route]: "http.rds",
  [typeUrls.secret]: "sds",
};

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
  readonly #nodeId: string;
  readonly #now: () => number;
  readonly #manager: ClusterManager;
  readonly #clusters: ClusterStore;
  readonly #secrets = new SecretStore();
  readonly #routes: RouteStore;
  readonly #listeners: ListenerStore;
  readonly #sockets: ListenerSockets;
  readonly #overload: OverloadManager | undefined;
  readonly #watchdog: Watchdog | undefined;
  readonly #overloadStats: OverloadStats | undefined;
  readonly #logFiles: LogFiles;
  readonly #rejections = new Map<string, readonly XdsRejection[]>();
  readonly #health: ServerHealth = { failed: false };
  readonly #http2Stats: Http2Stats;
  /** What this thread does later. */
  readonly #dispatcher: Dispatcher;
  readonly #updates = new Map<string, UpdateStats>();
  readonly #wantedListeners = new Set<(typeUrl: string) => void>();
  readonly #listenerListeners = new Set<() => void>();
  readonly #wanted = new Map<string, string>();
  readonly #expiry = new FirstExpiry(() => this.certificates());
  #initializedListeners: (() => void)[] = [];
  #initialized = false;
  /** LDS and RDS bind sockets: one after the other. */
  #binding: Promise<unknown> = Promise.resolve();

  constructor(options: ProxyRuntimeOptions) {
    this.#logger = options.logger;
    this.#nodeId = options.nodeId;
    this.#now = options.now ?? (() => performance.now());
    const random = options.random ?? Math.random;
    this.#dispatcher = new Dispatcher({ now: this.#now });
    const { wheel } = this.#dispatcher;
    const stats = options.stats ?? localStats;
    this.#http2Stats = stats.create("http2", Http2Stats);
    this.#manager = new ClusterManager({
      wheel,
      random,
      now: this.#now,
      stats,
      reporter: options.reporter,
      onHealth: options.onHealth,
    });
    const resolve = options.resolveName ?? systemResolve;
    const watchNames = options.watchNames ?? ((_cluster, watch) => new DnsHosts({ ...watch, resolve }));
    this.#clusters = new ClusterStore(this.#manager, this.#secrets, watchNames, () => {
      this.#checkInitialized();
      this.#tellListeners();
    });
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
    this.#routes = new RouteStore(options.common);
    this.#listeners = new ListenerStore({
      common: options.common,
      ...(overload === undefined ? {} : { overload }),
      clusters: this.#manager,
      wheel,
      now: this.#now,
      random,
      stats,
      http2Stats: this.#http2Stats,
      health: this.#health,
      routes: (name) => this.#routes.get(name),
      secrets: this.#secrets,
      sockets: this.#sockets,
      drainTimeoutMs: options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS,
      logger: options.logger,
      accessLog: options.accessLog === true ? (listener, info) => this.#logRequest(listener, info) : undefined,
      accessLogs: options.accessLogs ?? [],
      logFiles: this.#logFiles,
      onInternalError: (error) => options.logger.error({ err: error }, "a request failed inside the proxy"),
      onChange: () => this.#tellListeners(),
    });
  }

  /**
   * The state of the world of one type. Valid resources are applied even when others are rejected, as Envoy does.
   * Clusters and listeners that are missing are removed (drained); endpoints and routes that are missing stay.
   * Resolves when new listeners are bound (or refused), so that a failed bind is among the rejections.
   */
  async apply(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    const rejections = await this.#applyType(typeUrl, resources);
    this.#rejections.set(typeUrl, rejections);
    this.#countUpdate(typeUrl, rejections);
    return rejections;
  }

  /** The names to subscribe to now: EDS service names of the clusters, RDS names of the listeners, SDS names of both; undefined = wildcard. */
  wantedNames(typeUrl: string): readonly string[] | undefined {
    if (typeUrl === typeUrls.endpoint) return this.#clusters.assignmentNames();
    if (typeUrl === typeUrls.route) return this.#listeners.routeNames();
    if (typeUrl === typeUrls.secret) return this.#secretNames();
    return typeUrl === typeUrls.cluster || typeUrl === typeUrls.listener ? undefined : [];
  }

  /** Called when `wantedNames` of a type changed, before the `apply` that changed it resolves. @returns a function that unsubscribes */
  onWantedNamesChanged(listener: (typeUrl: string) => void): () => void {
    this.#wantedListeners.add(listener);
    return () => this.#wantedListeners.delete(listener);
  }

  /** True once CDS came and each cluster has its endpoints, or `giveUpOn` ended the wait. Never becomes false again. */
  clustersInitialized(): boolean {
    return this.#initialized;
  }

  /** Called once; at once when it is so already. */
  onClustersInitialized(listener: () => void): void {
    if (this.#initialized) listener();
    else this.#initializedListeners.push(listener);
  }

  /** The initial fetch of this type timed out: go on with what there is. */
  giveUpOn(typeUrl: string): void {
    if (typeUrl === typeUrls.cluster) this.#clusters.giveUpOnClusters();
    else if (typeUrl === typeUrls.endpoint) this.#clusters.giveUpOnAssignments();
    else if (typeUrl === typeUrls.secret) {
      this.#secrets.giveUpOn(this.#secretNames());
      void this.#useSecrets();
    } else if (typeUrl === typeUrls.route) void this.#bindInTurn(() => this.#listeners.serveWithoutRoutes());
    this.#checkInitialized();
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

  /** What is applied now, as JSON: for the admin's /config_dump. */
  configDump(): object {
    const active = { state: "active" };
    return renderConfigDump({
      nodeId: this.#nodeId,
      clusters: this.#clusters.clusters().map((it) => ({ ...it, state: it.warming ? "warming" : "active" })),
      endpoints: this.#clusters.assignments().map((it) => ({ ...it, ...active })),
      listeners: [...this.#listeners.all()].map((it) => ({ name: it.name, body: it.body, state: it.state })),
      routes: this.#routes.all().map((it) => ({ ...it, ...active })),
      secrets: this.#secrets.all().map((it) => ({ ...it, ...active })),
      rejections: this.#rejections,
    });
  }

  /** The certificates of clusters and listeners, and when they end: for the admin's /certs. */
  certificates(): readonly CertificateReport[] {
    const clusters = this.#clusters
      .clusters()
      .flatMap(({ name, value }) =>
        value.config.tls === undefined ? [] : [{ user: `cluster ${name}`, source: value.config.tls.source }],
      );
    const listeners = [...this.#listeners.all()].flatMap(({ name, translated }) =>
      tlsOf(translated).map(({ source }) => ({ user: `listener ${name}`, source })),
    );
    return reportCertificates([...clusters, ...listeners], Date.now());
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
    const stats = collectStats({
      http: this.#listeners.stats(),
      rpc: this.#listeners.rpcStats(),
      tcp: this.#listeners.tcpStats(),
      listeners: [...this.#listeners.all()].map(
        (it) => [`${it.status().address}_${it.status().port}`, it.stats] as const,
      ),
      sockets: this.#sockets.stats(),
      overload: this.#overloadStats,
      threads: this.#watchdog?.stats() ?? [],
      clusters: this.#manager.all(),
      updates: this.#updates,
      http2: this.#http2Stats,
      logs: this.#logFiles.stats,
    });
    const days = this.#expiry.days();
    if (days !== undefined) stats.set("server.days_until_first_cert_expiring", days);
    return stats;
  }

  /** After a rotation of access logs: what comes from now on goes to the files that have the names now. */
  async reopenLogs(): Promise<void> {
    await this.#logFiles.reopen();
  }

  /** Stops accepting and ends connections, within `drainTimeoutMs`. One that is under way is hastened by one "at once". */
  async drain(options: DrainOptions = {}): Promise<void> {
    // What is being bound is drained, too; nothing that comes later waits for it.
    await this.#bindInTurn(async () => undefined);
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
    await this.#binding.catch(() => undefined);
    await this.#logFiles.close();
    this.#dispatcher.exit();
  }

  async #applyType(typeUrl: string, resources: readonly XdsResource[]): Promise<readonly XdsRejection[]> {
    switch (typeUrl) {
      case typeUrls.cluster:
        return this.#afterClusters(this.#clusters.applyClusters(resources));
      case typeUrls.endpoint:
        return this.#afterClusters(this.#clusters.applyAssignments(resources));
      case typeUrls.listener:
        return this.#bindInTurn(async () => {
          const rejections = await this.#listeners.apply(resources);
          this.#routes.keepOnly(this.#listeners.routeNamesInUse());
          this.#noteWantedNames(typeUrls.route);
          this.#noteWantedSecrets();
          return rejections;
        });
      case typeUrls.route:
        return this.#bindInTurn(async () => {
          const rejections = this.#routes.apply(resources);
          await this.#listeners.serveReady();
          return rejections;
        });
      case typeUrls.secret: {
        const rejections = this.#secrets.apply(resources);
        this.#secrets.keepOnly(this.#secretNames());
        await this.#useSecrets();
        return rejections;
      }
      default:
        return resources.map(({ name }) => ({
          name,
          reason: `resources of type ${typeUrl} are not supported by this proxy`,
        }));
    }
  }

  #afterClusters(rejections: readonly XdsRejection[]): readonly XdsRejection[] {
    this.#noteWantedNames(typeUrls.endpoint);
    this.#noteWantedSecrets();
    this.#checkInitialized();
    // A route leads somewhere only when its cluster is there.
    this.#tellListeners();
    return rejections;
  }

  #secretNames(): readonly string[] {
    return [...new Set([...this.#clusters.secretNames(), ...this.#listeners.secretNames()])].toSorted();
  }

  #noteWantedSecrets(): void {
    this.#secrets.keepOnly(this.#secretNames());
    this.#noteWantedNames(typeUrls.secret);
  }

  /** Who waited for a secret goes on. */
  async #useSecrets(): Promise<void> {
    this.#clusters.onSecrets();
    this.#checkInitialized();
    this.#tellListeners();
    await this.#bindInTurn(() => this.#listeners.serveReady());
  }

  #tellListeners(): void {
    for (const listener of this.#listenerListeners) listener();
  }

  #bindInTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#binding.then(work);
    this.#binding = result.catch(() => undefined);
    return result;
  }

  #noteWantedNames(typeUrl: string): void {
    const names = (this.wantedNames(typeUrl) ?? []).join("\n");
    if ((this.#wanted.get(typeUrl) ?? "") === names) return;
    this.#wanted.set(typeUrl, names);
    for (const listener of this.#wantedListeners) listener(typeUrl);
  }

  #checkInitialized(): void {
    if (this.#initialized || !this.#clusters.initialized) return;
    this.#initialized = true;
    const listeners = this.#initializedListeners;
    this.#initializedListeners = [];
    for (const listener of listeners) listener();
  }

  #countUpdate(typeUrl: string, rejections: readonly XdsRejection[]): void {
    const prefix = updatePrefixes[typeUrl] ?? shortTypeName(typeUrl);
    const stats = this.#updates.get(prefix) ?? new UpdateStats();
    this.#updates.set(prefix, stats);
    stats.update_attempt++;
    if (rejections.length === 0) stats.update_success++;
    else {
      stats.update_rejected++;
      this.#logger.warn({ type: shortTypeName(typeUrl), rejections }, "resources rejected");
    }
  }

  #logRequest(listener: string, info: StreamInfo): void {
    const durationMs = Math.round((this.#now() - info.startMs) * 1000) / 1000;
    this.#logger.info(Object.assign({ listener, durationMs }, info), "request");
  }
}
