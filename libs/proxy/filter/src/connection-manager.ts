import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { Http1Error } from "@fairlead/codec-http1";
import { Http2Error, Http2Stats } from "@fairlead/codec-http2";
import { FairleadError } from "@fairlead/errors";
import {
  negotiatedProtocol,
  ProtocolDetection,
  type RequestHead,
  type ResponseHead,
  type ServerConnection,
  type ServerConnectionEvents,
  type StreamReceiver,
  type StreamSender,
  streamFactory,
} from "@fairlead/proxy-stream";
import type { OverloadState } from "@fairlead/proxy-overload";
import type { ClusterManager } from "@fairlead/proxy-upstream";
import type { TimerWheel } from "@fairlead/timer-wheel";
import { ConnectionAges } from "./connection-ages.ts";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import type { HttpStats } from "./http-stats.ts";
import { HttpStream, type HttpStreamContext } from "./http-stream.ts";
import { refusedByCodec, refusedRequest } from "./refused-request.ts";
import type { StreamInfo } from "./stream-info.ts";
import { ResponseDrain, type ServerHealth } from "./response-drain.ts";
import type { VirtualHostStats } from "./virtual-host-stats.ts";

export interface ConnectionManagerContext {
  readonly clusters: ClusterManager;
  readonly wheel: TimerWheel;
  readonly now: () => number;
  readonly random: () => number;
  /** Counted in by the HTTP/2 connections of all listeners. @default a table of each listener's own */
  readonly http2Stats?: Http2Stats;
  /** Of all listeners. @default the requests of virtual clusters are not counted */
  readonly virtualHostStats?: VirtualHostStats;
  /** Of all listeners. @default it never fails */
  readonly health?: ServerHealth;
  /** Connections stay while the health check fails. @default false */
  readonly staysWhenFailed?: boolean;
  /** Of this thread. @default it never has too much to do */
  readonly overload?: OverloadState;
  /** A failure that is a defect of ours: its connection is gone, nothing else. */
  readonly onInternalError: (error: Error) => void;
}

/** Serves requests, of HTTP or RPC, on the connections of one listener. */
export class ConnectionManager implements ServerConnectionEvents {
  readonly stats: HttpStats;
  readonly #context: ConnectionManagerContext;
  /** With the time at which the client connected. */
  readonly #connections = new Map<ServerConnection, number>();
  readonly #http2Stats: Http2Stats;
  readonly #whenIdle: (() => void)[] = [];
  readonly #whenLeft: (() => void)[] = [];
  readonly #drain: ResponseDrain;
  readonly #ages: ConnectionAges;
  #config: ConnectionManagerConfig;
  #streamContext: HttpStreamContext;
  #draining = false;
  /** Those over TLS; none where the listener is plain. */
  #secure: WeakSet<ServerConnection> | undefined;

  constructor(config: ConnectionManagerConfig, stats: HttpStats, context: ConnectionManagerContext) {
    this.#config = config;
    this.stats = stats;
    this.#context = context;
    this.#ages = new ConnectionAges(stats);
    this.#drain = new ResponseDrain(context);
    this.#http2Stats = context.http2Stats ?? new Http2Stats();
    this.#streamContext = this.#contextOf(config);
  }

  get config(): ConnectionManagerConfig {
    return this.#config;
  }

  get activeConnections(): number {
    return this.#connections.size;
  }

  activeRequests = 0;

  /** From the next request on, also on connections that are open. */
  update(config: ConnectionManagerConfig): void {
    this.#config = config;
    this.#streamContext = this.#contextOf(config);
  }

  /** @param protocol in the registry of stream factories; "auto" = as the configuration says */
  serve(socket: Socket, protocol: string): void {
    this.stats.downstream_cx_total++;
    this.stats.downstream_cx_active++;
    const wanted = protocol === "auto" ? this.#config.protocol : protocol;
    const known = wanted === "auto" ? negotiatedProtocol(socket) : wanted;
    const nowMs = this.#context.now();
    if (known === undefined) this.#detect(socket, nowMs);
    else this.#start(socket, known, nowMs);
  }

  #detect(socket: Socket, nowMs: number): void {
    const detection = new ProtocolDetection(
      socket,
      {
        onProtocol: (protocol) => {
          this.#connections.delete(detection);
          this.#ages.forget(detection);
          this.#start(socket, protocol, nowMs);
        },
        onGone: (_detection, why) => this.onClosed(detection, why),
      },
      { wheel: this.#context.wheel, timeoutMs: this.#config.headersTimeoutMs },
    );
    this.#connections.set(detection, nowMs);
    if (this.#config.maxConnectionDurationMs > 0) this.#ages.limit(detection, this.#config);
  }

  /** @param connectedAtMs when the client did */
  #start(socket: Socket, protocol: string, connectedAtMs: number): void {
    const { config } = this;
    const { overload } = this.#context;
    if (protocol === "http1") this.stats.downstream_cx_http1_total++;
    else if (protocol === "http2") this.stats.downstream_cx_http2_total++;
    const connection = streamFactory(protocol).createServer(socket, this, {
      wheel: this.#context.wheel,
      headersTimeoutMs: config.headersTimeoutMs,
      get idleTimeoutMs() {
        return config.idleTimeoutMs * (overload?.timeoutScale ?? 1);
      },
      flushTimeoutMs: config.streamFlushTimeoutMs ?? config.streamIdleTimeoutMs,
      maxHeadBytes: config.maxHeadBytes,
      maxHeaders: config.maxHeaders,
      highWatermarkBytes: config.highWatermarkBytes,
      drainTimeoutMs: config.drainTimeoutMs,
      delayedCloseMs: config.delayedCloseMs,
      http1: config.http1,
      http2: { ...config.http2, stats: this.#http2Stats },
    });
    this.#connections.set(connection, connectedAtMs);
    if (config.maxConnectionDurationMs > 0) this.#ages.limit(connection, config);
    if (socket instanceof TLSSocket) (this.#secure ??= new WeakSet()).add(connection);
    if (this.#draining) connection.drain();
  }

  /**
   * Each connection ends with its current or next response.
   *
   * @returns resolves when no request is under way
   */
  drain(): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections.keys()) connection.drain();
    return new Promise((resolve) => {
      if (this.activeRequests === 0) resolve();
      else this.#whenIdle.push(resolve);
    });
  }

  /** Connections that are idle are closed as soon as those that become idle from now on. */
  reduceIdleTime(): void {
    const maxMs = this.#config.idleTimeoutMs * (this.#context.overload?.timeoutScale ?? 1);
    for (const connection of this.#connections.keys()) connection.limitIdle?.(maxMs);
  }

  /** Responses end their connections, the more of them the more time has passed. */
  startGradualDrain(durationMs: number): void {
    this.#drain.start(durationMs);
  }

  /** Resolves when no connection is open. */
  whenLeft(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connections.size === 0) resolve();
      else this.#whenLeft.push(resolve);
    });
  }

  destroy(): void {
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  onStream(sender: StreamSender<ResponseHead>, connection: ServerConnection): StreamReceiver<RequestHead> {
    this.activeRequests++;
    this.stats.downstream_rq_total++;
    this.stats.downstream_rq_active++;
    if (this.#config.maxRequestsPerConnection > 0)
      this.#ages.countRequest(connection, this.#config.maxRequestsPerConnection);
    const secure = this.#secure?.has(connection) === true;
    return new HttpStream(this.#streamContext, this.#config, connection, sender, secure);
  }

  onProtocolError(error: Error, connection: ServerConnection): void {
    const ofCodec = error instanceof Http1Error || error instanceof Http2Error || isRpcError(error);
    if (!ofCodec) {
      this.#context.onInternalError(error);
      return;
    }
    this.stats.downstream_cx_protocol_error++;
    if (error instanceof Http1Error && error.status === 431) this.stats.downstream_rq_too_large++;
    if (error instanceof Http2Error && error.resets) this.stats.downstream_rq_too_many_premature_resets++;
    this.#logRefusal(refusedByCodec(error, connection, this.#context.now()));
  }

  onRequestRefused(status: number, connection: ServerConnection): void {
    if (status === 431) this.stats.downstream_rq_too_large++;
    const details =
      status === 431 ? "http2.headers_too_large" : status === 408 ? "request_header_timeout" : "upgrade_failed";
    this.#logRefusal(refusedRequest(connection, this.#context.now(), status, details));
  }

  #logRefusal(refused: StreamInfo | undefined): void {
    if (refused !== undefined) this.#config.accessLog?.(refused);
  }

  onClosed(connection: ServerConnection, why: "idle timeout" | "header timeout" | "closed"): void {
    const connectedAtMs = this.#connections.get(connection);
    if (connectedAtMs !== undefined) this.stats.downstream_cx_length_ms.record(this.#context.now() - connectedAtMs);
    this.#connections.delete(connection);
    this.#ages.forget(connection);
    this.stats.downstream_cx_active--;
    this.stats.downstream_cx_destroy++;
    if (why === "idle timeout") this.stats.downstream_cx_idle_timeout++;
    else if (why === "header timeout") this.stats.downstream_rq_header_timeout++;
    if (this.#connections.size === 0) for (const resolve of this.#whenLeft.splice(0)) resolve();
  }

  #contextOf(config: ConnectionManagerConfig): HttpStreamContext {
    return {
      clusters: this.#context.clusters,
      stats: this.stats,
      virtualHostStats: this.#context.virtualHostStats,
      now: this.#context.now,
      random: this.#context.random,
      suppressEnvoyHeaders: config.suppressEnvoyHeaders,
      strictHeaders: config.strictHeaders,
      respectsExpectedTimeout: config.respectsExpectedTimeout,
      wheel: this.#context.wheel,
      drain: this.#drain,
      overload: this.#context.overload,
      onStreamEnd: () => this.#onStreamEnd(),
    };
  }

  #onStreamEnd(): void {
    this.activeRequests--;
    this.stats.downstream_rq_active--;
    if (this.activeRequests === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

function isRpcError(error: Error): boolean {
  return error instanceof FairleadError && error.code.startsWith("FL_RPC_");
}
