import type { Socket } from "node:net";
import { Http1Error } from "@fairlead/codec-http1";
import {
  type DeadlineSweep,
  type RequestHead,
  type ResponseHead,
  type ServerConnection,
  type ServerConnectionEvents,
  type StreamReceiver,
  type StreamSender,
  streamFactory,
} from "@fairlead/proxy-stream";
import type { ClusterManager } from "@fairlead/proxy-upstream";
import type { ConnectionManagerConfig } from "./connection-manager-config.ts";
import type { HttpStats } from "./http-stats.ts";
import { HttpStream, type HttpStreamContext } from "./http-stream.ts";

export interface ConnectionManagerContext {
  readonly clusters: ClusterManager;
  readonly sweep: DeadlineSweep;
  readonly now: () => number;
  readonly random: () => number;
  /** A failure that is a defect of ours: its connection is gone, nothing else. */
  readonly onInternalError: (error: Error) => void;
}

/** Serves HTTP on the connections of one listener. */
export class ConnectionManager implements ServerConnectionEvents {
  readonly stats: HttpStats;
  readonly #context: ConnectionManagerContext;
  readonly #connections = new Set<ServerConnection>();
  readonly #whenIdle: (() => void)[] = [];
  #config: ConnectionManagerConfig;
  #streamContext: HttpStreamContext;
  #draining = false;

  constructor(config: ConnectionManagerConfig, stats: HttpStats, context: ConnectionManagerContext) {
    this.#config = config;
    this.stats = stats;
    this.#context = context;
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

  /** @param protocol in the registry of stream factories */
  serve(socket: Socket, protocol: string): void {
    const { config } = this;
    this.stats.downstream_cx_total++;
    this.stats.downstream_cx_active++;
    if (protocol === "http1") this.stats.downstream_cx_http1_total++;
    const connection = streamFactory(protocol).createServer(socket, this, {
      sweep: this.#context.sweep,
      headersTimeoutMs: config.headersTimeoutMs,
      idleTimeoutMs: config.idleTimeoutMs,
      maxHeadBytes: config.maxHeadBytes,
      maxHeaders: config.maxHeaders,
      highWatermarkBytes: config.highWatermarkBytes,
    });
    this.#connections.add(connection);
    if (this.#draining) connection.drain();
  }

  /**
   * Each connection ends with its current or next response.
   *
   * @returns resolves when no request is under way
   */
  drain(): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections) connection.drain();
    return new Promise((resolve) => {
      if (this.activeRequests === 0) resolve();
      else this.#whenIdle.push(resolve);
    });
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  onStream(sender: StreamSender<ResponseHead>, connection: ServerConnection): StreamReceiver<RequestHead> {
    this.activeRequests++;
    this.stats.downstream_rq_total++;
    this.stats.downstream_rq_active++;
    return new HttpStream(this.#streamContext, this.#config, connection, sender);
  }

  onProtocolError(error: Error): void {
    if (!(error instanceof Http1Error)) {
      this.#context.onInternalError(error);
      return;
    }
    this.stats.downstream_cx_protocol_error++;
    if (error.status === 431) this.stats.downstream_rq_too_large++;
  }

  onClosed(connection: ServerConnection, why: "idle timeout" | "header timeout" | "closed"): void {
    this.#connections.delete(connection);
    this.stats.downstream_cx_active--;
    if (why === "idle timeout") this.stats.downstream_cx_idle_timeout++;
    else if (why === "header timeout") this.stats.downstream_rq_header_timeout++;
  }

  #contextOf(config: ConnectionManagerConfig): HttpStreamContext {
    return {
      clusters: this.#context.clusters,
      stats: this.stats,
      now: this.#context.now,
      random: this.#context.random,
      suppressEnvoyHeaders: config.suppressEnvoyHeaders,
      sweep: this.#context.sweep,
      onStreamEnd: () => this.#onStreamEnd(),
    };
  }

  #onStreamEnd(): void {
    this.activeRequests--;
    this.stats.downstream_rq_active--;
    if (this.activeRequests === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
