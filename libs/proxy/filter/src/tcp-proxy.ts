import type { Socket } from "node:net";
import { type Cluster, type ClusterManager, connectHost, type Host } from "@fairlead/proxy-upstream";
import { totalOf } from "@fairlead/stat-cells";
import type { Expiring, TimerWheel, WheelTimer } from "@fairlead/timer-wheel";

export interface TcpProxyConfig {
  readonly statPrefix: string;
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
  /** No byte either way for so long ends a connection; 0 = never. @default 3600000 */
  readonly idleTimeoutMs: number;
  /** 0 = none. @default 0 */
  readonly maxDurationMs: number;
  /** Hosts that are tried one after the other. @default 1 */
  readonly maxConnectAttempts: number;
}

/** `tcp.<stat_prefix>.…` */
export class TcpStats {
  downstream_cx_total = 0;
  downstream_cx_active = 0;
  downstream_cx_no_route = 0;
  downstream_cx_rx_bytes_total = 0;
  downstream_cx_tx_bytes_total = 0;
  idle_timeout = 0;
  max_downstream_connection_duration = 0;
}

export interface TcpProxyContext {
  readonly clusters: ClusterManager;
  readonly wheel: TimerWheel;
  readonly random: () => number;
}

/** Passes connections on as bytes, each to one host of its cluster. */
export class TcpProxy {
  readonly stats: TcpStats;
  readonly #context: TcpProxyContext;
  readonly #connections = new Set<TcpConnection>();
  readonly #whenIdle: (() => void)[] = [];
  #config: TcpProxyConfig;

  constructor(config: TcpProxyConfig, stats: TcpStats, context: TcpProxyContext) {
    this.#config = config;
    this.stats = stats;
    this.#context = context;
  }

  get activeConnections(): number {
    return this.#connections.size;
  }

  /** For connections from now on. */
  update(config: TcpProxyConfig): void {
    this.#config = config;
  }

  serve(socket: Socket): void {
    const config = this.#config;
    this.stats.downstream_cx_total++;
    this.stats.downstream_cx_active++;
    const connection = new TcpConnection(socket, config, this.stats, this.#context, () => {
      this.#connections.delete(connection);
      this.stats.downstream_cx_active--;
      if (this.#connections.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
    this.#connections.add(connection);
    connection.start(pickCluster(config, this.#context));
  }

  /** Resolves when all connections have ended of themselves. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connections.size === 0) resolve();
      else this.#whenIdle.push(resolve);
    });
  }

  destroy(): void {
    for (const connection of this.#connections) connection.close();
  }
}

function pickCluster(config: TcpProxyConfig, context: TcpProxyContext): Cluster | undefined {
  const total = config.clusters.reduce((sum, { weight }) => sum + weight, 0);
  let point = context.random() * total;
  for (const { name, weight } of config.clusters) {
    point -= weight;
    if (point < 0) return context.clusters.get(name);
  }
  return undefined;
}

class TcpConnection implements Expiring {
  readonly #deadline: WheelTimer;
  readonly #downstream: Socket;
  readonly #config: TcpProxyConfig;
  readonly #stats: TcpStats;
  readonly #context: TcpProxyContext;
  readonly #onEnd: () => void;
  #upstream: Socket | undefined;
  #cluster: Cluster | undefined;
  #host: Host | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #durationTimer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(socket: Socket, config: TcpProxyConfig, stats: TcpStats, context: TcpProxyContext, onEnd: () => void) {
    this.#downstream = socket;
    this.#config = config;
    this.#stats = stats;
    this.#context = context;
    this.#onEnd = onEnd;
    this.#deadline = context.wheel.timer(this);
  }

  start(cluster: Cluster | undefined): void {
    this.#downstream.pause();
    this.#downstream.allowHalfOpen = true;
    this.#downstream.on("error", () => this.close());
    this.#downstream.on("close", () => this.close());
    if (cluster === undefined) {
      this.#stats.downstream_cx_no_route++;
      this.close();
      return;
    }
    const { maxDurationMs } = this.#config;
    if (maxDurationMs > 0) {
      this.#durationTimer = setTimeout(() => {
        this.#stats.max_downstream_connection_duration++;
        this.close();
      }, maxDurationMs);
    }
    this.#cluster = cluster;
    this.#connect(cluster, 1, new Set());
  }

  onDeadline(): void {
    this.#stats.idle_timeout++;
    this.close();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#durationTimer);
    this.#deadline.cancel();
    this.#downstream.destroy();
    this.#upstream?.destroy();
    this.#release();
    this.#onEnd();
  }

  #connect(cluster: Cluster, attempt: number, tried: Set<Host>): void {
    const { stats, config } = cluster;
    const host = cluster.pickHost(tried.size === 0 ? undefined : { avoid: tried, avoidAttempts: 5 });
    if (host === undefined) {
      this.close();
      return;
    }
    if (totalOf(stats).upstream_cx_active >= config.circuitBreakers.maxConnections) {
      stats.upstream_cx_overflow++;
      this.close();
      return;
    }
    tried.add(host);
    this.#host = host;
    host.activeRequests++;
    host.totalRequests++;
    stats.upstream_cx_total++;
    stats.upstream_cx_active++;
    const failed = (timedOut: boolean): void => {
      clearTimeout(this.#connectTimer);
      upstream.removeAllListeners();
      upstream.on("error", () => undefined);
      upstream.destroy();
      stats.upstream_cx_connect_fail++;
      if (timedOut) stats.upstream_cx_connect_timeout++;
      host.monitor?.onReset(timedOut ? "connection timeout" : "remote connection failure");
      this.#release();
      if (this.#over) return;
      if (attempt < this.#config.maxConnectAttempts) this.#connect(cluster, attempt + 1, tried);
      else this.close();
    };
    const upstream = connectHost(host.address, host.port, config, () => {
      clearTimeout(this.#connectTimer);
      upstream.removeAllListeners("error");
      host.monitor?.onResponse(200, undefined);
      this.#join(upstream);
    });
    this.#upstream = upstream;
    upstream.on("error", () => failed(false));
    this.#connectTimer = setTimeout(() => failed(true), config.connectTimeoutMs);
  }

  #join(upstream: Socket): void {
    const downstream = this.#downstream;
    upstream.allowHalfOpen = true;
    upstream.on("error", () => this.close());
    upstream.on("close", () => this.close());
    this.#touch();
    this.#pipe(downstream, upstream, (bytes) => (this.#stats.downstream_cx_rx_bytes_total += bytes));
    this.#pipe(upstream, downstream, (bytes) => (this.#stats.downstream_cx_tx_bytes_total += bytes));
  }

  /** Half-closing is passed on too: protocols of databases and mail use it. */
  #pipe(from: Socket, to: Socket, count: (bytes: number) => void): void {
    from.on("data", (chunk: Buffer) => {
      count(chunk.length);
      this.#touch();
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => from.resume());
    from.on("end", () => to.end());
    from.resume();
  }

  #touch(): void {
    const { idleTimeoutMs } = this.#config;
    if (idleTimeoutMs > 0) this.#deadline.deadlineMs = this.#context.wheel.nowMs + idleTimeoutMs;
  }

  #release(): void {
    if (this.#host === undefined || this.#cluster === undefined) return;
    this.#host.activeRequests--;
    this.#host = undefined;
    this.#cluster.stats.upstream_cx_active--;
  }
}
