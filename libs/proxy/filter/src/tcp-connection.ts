import type { Socket } from "node:net";
import { connectionInfoOf, pipeBytes, waitingBytes } from "@fairlead/proxy-stream";
import {
  type Cluster,
  type ClusterConfig,
  type ClusterManager,
  connectHost,
  type Host,
  type HostChoice,
  type HostConnectionCount,
  xxHash64,
} from "@fairlead/proxy-upstream";
import type { Expiring, TimerWheel, WheelTimer } from "@fairlead/timer-wheel";
import { destinationOf } from "./original-destination.ts";
import { StreamInfo } from "./stream-info.ts";
import type { TcpCluster, TcpProxyConfig, TcpStats } from "./tcp-proxy-config.ts";

export interface TcpProxyContext {
  readonly clusters: ClusterManager;
  readonly wheel: TimerWheel;
  readonly random: () => number;
}

/** One connection that is passed on as bytes, from its start to its end. */
export class TcpConnection implements Expiring {
  readonly #deadline: WheelTimer;
  readonly #downstream: Socket;
  readonly #config: TcpProxyConfig;
  readonly #stats: TcpStats;
  readonly #context: TcpProxyContext;
  readonly #onEnd: () => void;
  readonly #info: StreamInfo;
  #upstream: Socket | undefined;
  /** `#upstream` when it is connected. */
  #joined: Socket | undefined;
  #cluster: Cluster | undefined;
  #host: Host | undefined;
  #ofHost: HostConnectionCount | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #durationTimer: NodeJS.Timeout | undefined;
  /** When it was last seen whether there is any progress. */
  #waitingBytes = 0;
  #over = false;

  constructor(socket: Socket, config: TcpProxyConfig, stats: TcpStats, context: TcpProxyContext, onEnd: () => void) {
    this.#downstream = socket;
    this.#config = config;
    this.#stats = stats;
    this.#context = context;
    this.#onEnd = onEnd;
    this.#deadline = context.wheel.timer(this);
    this.#info = new StreamInfo(context.wheel.nowMs, connectionInfoOf(socket));
    // Nobody looks into it.
    this.#info.protocol = "";
  }

  /** @param target undefined: there is none to choose */
  start(target: TcpCluster | undefined): void {
    const cluster = target === undefined ? undefined : this.#context.clusters.get(target.name);
    this.#downstream.pause();
    this.#downstream.allowHalfOpen = true;
    // An error is followed by the end.
    this.#downstream.on("error", () => undefined);
    this.#downstream.on("close", () => this.#onGone(this.#joined));
    if (cluster === undefined) {
      this.#stats.downstream_cx_no_route++;
      this.#info.flag("NC");
      this.close();
      return;
    }
    const { maxDurationMs } = this.#config;
    if (maxDurationMs > 0) {
      this.#durationTimer = setTimeout(() => {
        this.#stats.max_downstream_connection_duration++;
        this.#info.flag("DT");
        this.#info.connectionTermination = "max_connection_duration_reached";
        this.close();
      }, maxDurationMs);
    }
    this.#cluster = cluster;
    this.#info.setCluster(cluster.config);
    this.#connect(cluster, { ...this.#choiceFor(cluster), subset: target?.subset }, new Set());
  }

  onDeadline(): void {
    const waiting = waitingBytes(this.#downstream) + (this.#joined === undefined ? 0 : waitingBytes(this.#joined));
    // One that takes its time, but takes, is not idle.
    if (waiting > 0 && waiting !== this.#waitingBytes) {
      this.#waitingBytes = waiting;
      this.#touch();
      return;
    }
    this.#stats.idle_timeout++;
    this.#info.connectionTermination = "tcp_session_idle_timeout";
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
    this.#info.endMs = this.#context.wheel.nowMs;
    this.#config.accessLog?.(this.#info);
    this.#onEnd();
  }

  #choiceFor(cluster: Cluster): HostChoice {
    const { connection } = this.#info;
    if (cluster.config.originalDestination !== undefined)
      return { destination: destinationOf(cluster, undefined, connection) };
    return this.#config.hashesSource ? { hash: xxHash64(connection.remoteAddress) } : {};
  }

  #connect(cluster: Cluster, choice: HostChoice, tried: Set<Host>): void {
    const { stats, config } = cluster;
    const info = this.#info;
    const host = cluster.pickHost(tried.size === 0 ? choice : { ...choice, avoid: tried, avoidAttempts: 5 });
    if (host === undefined) {
      info.flag("UH");
      this.close();
      return;
    }
    const { maxConnectionsPerHost = Number.POSITIVE_INFINITY } = config.circuitBreakers;
    const ofHost = config.hostConnections?.of(host.key);
    if (cluster.breaker.connectionsFull || (ofHost !== undefined && ofHost.total >= maxConnectionsPerHost)) {
      stats.upstream_cx_overflow++;
      info.flag("UO");
      this.close();
      return;
    }
    tried.add(host);
    info.attempts++;
    info.setHost(host);
    this.#host = host;
    host.activeRequests++;
    host.totalRequests++;
    stats.upstream_cx_total++;
    stats.upstream_cx_active++;
    ofHost?.add(1);
    this.#ofHost = ofHost;
    const failed = (error?: Error): void => {
      const timedOut = error === undefined;
      clearTimeout(this.#connectTimer);
      upstream.removeAllListeners();
      upstream.on("error", () => undefined);
      upstream.destroy();
      stats.upstream_cx_connect_fail++;
      if (timedOut) stats.upstream_cx_connect_timeout++;
      host.monitor?.onReset(timedOut ? "connection timeout" : "remote connection failure");
      this.#release();
      if (this.#over) return;
      info.transportFailure = error?.message ?? "";
      if (info.attempts < this.#config.maxConnectAttempts) {
        this.#connect(cluster, choice, tried);
        return;
      }
      info.flag("UF");
      if (this.#config.maxConnectAttempts > 1) info.flag("URX");
      this.close();
    };
    const upstream = connectHost(host.address, host.port, host.settings, stats.ssl, () => {
      clearTimeout(this.#connectTimer);
      upstream.removeAllListeners("error");
      host.monitor?.onResponse(200, undefined);
      this.#join(upstream, config);
    });
    this.#upstream = upstream;
    upstream.on("error", failed);
    this.#connectTimer = setTimeout(() => failed(), config.connectTimeoutMs);
  }

  #join(upstream: Socket, { highWatermarkBytes }: ClusterConfig): void {
    const downstream = this.#downstream;
    this.#info.upstreamStartMs = this.#context.wheel.nowMs;
    this.#info.setUpstream(connectionInfoOf(upstream));
    upstream.allowHalfOpen = true;
    upstream.on("error", () => undefined);
    upstream.on("close", () => this.#onGone(downstream));
    this.#joined = upstream;
    this.#touch();
    // Half-closing is passed on too: protocols of databases and mail use it.
    const toHost = (bytes: number): void => {
      this.#stats.downstream_cx_rx_bytes_total += bytes;
      this.#info.bytesReceived += bytes;
      this.#touch();
    };
    const toClient = (bytes: number): void => {
      this.#stats.downstream_cx_tx_bytes_total += bytes;
      this.#info.bytesSent += bytes;
      this.#touch();
    };
    pipeBytes(downstream, upstream, toHost, highWatermarkBytes);
    pipeBytes(upstream, downstream, toClient, this.#config.highWatermarkBytes);
  }

  /** One side has gone, in peace or not: the other one gets what it has sent. */
  #onGone(other: Socket | undefined): void {
    if (other === undefined || other.destroyed || other.writableFinished) {
      this.close();
      return;
    }
    // What it still says is taken and dropped: bytes that nobody reads would make its end a reset.
    other.resume();
    other.end();
    other.once("finish", () => this.close());
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
    this.#ofHost?.add(-1);
  }
}
