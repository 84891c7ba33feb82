import type { Socket } from "node:net";
import {
  type ClientConnection,
  type ClientConnectionEvents,
  type ResetReason,
  hasStreamFactory,
  streamFactory,
} from "@fairlead/proxy-stream";
import type { TimerWheel } from "@fairlead/timer-wheel";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { connectFailureOf } from "./connect-failure.ts";
import type { HostConnectionCount } from "./host-connections.ts";
import { connectHost } from "./host-connect.ts";
import { hostKey } from "./host.ts";
import { IdleConnections } from "./idle-connections.ts";

/** A request that wants a connection. Exactly one of the two is called, once, unless it is cancelled; perhaps at once. */
export interface PoolWaiter {
  /** Open the stream now. */
  onConnection(connection: ClientConnection): void;
  onFailure(reason: ResetReason, details: string): void;
  /** True = not one that has been idle: the last attempt found it closed. One that serves other requests as well is none of those. */
  readonly fresh: boolean;
  /** What the client speaks, for clusters that speak the same to their hosts. */
  readonly clientProtocol?: string | undefined;
  /** What the request calls the host, for clusters that say so in TLS. */
  readonly serverName?: string | undefined;
}

/** Streams of one connection, whatever the peer allows (as Envoy). */
const MAX_STREAMS = 1024;

/**
 * The connections to one host. How many requests one of them serves at a time is its protocol's to say: one in HTTP/1.1, as many
 * as the host allows in HTTP/2.
 *
 * ```
 *   waiters ──▶ connecting ──▶ busy ──▶ idle (last in, first out: the rest may age and close)
 *      ▲                        │  ▲      │
 *      └── a stream is done ────┘  └──────┘
 * ```
 */
export class ConnectionPool implements ClientConnectionEvents {
  readonly #address: string;
  readonly #port: number;
  readonly #config: ClusterConfig;
  readonly #stats: ClusterStats;
  /** Of the priority of its requests. */
  readonly #breaker: CircuitBreaker;
  readonly #wheel: TimerWheel;
  /** Connections to the host, in all threads and pools. */
  readonly #ofHost: HostConnectionCount | undefined;
  readonly #waiters = new Set<PoolWaiter>();
  readonly #connecting = new Set<Socket>();
  readonly #connections = new Set<ClientConnection>();
  /** Where their age counts. */
  readonly #connectedAtMs = new WeakMap<ClientConnection, number>();
  /** A connection serves several requests at a time. */
  readonly #shared: boolean;
  /** Streams that a connection will have, before it says so itself: as the last one did. */
  #expectedStreams: number;
  readonly #maxStreams: number;
  readonly #idle: IdleConnections;
  #draining = false;
  /** Told of what a host says of itself. */
  hostLeaving: ((leaving: boolean) => void) | undefined;

  constructor(address: string, port: number, config: ClusterConfig, stats: ClusterStats, wheel: TimerWheel) {
    this.#address = address;
    this.#port = port;
    this.#config = config;
    this.#stats = stats;
    this.#breaker = new CircuitBreaker(stats, config.circuitBreakers);
    this.#wheel = wheel;
    this.#ofHost = config.hostConnections?.of(hostKey(address, port));
    const { protocol } = config;
    this.#expectedStreams = hasStreamFactory(protocol) ? (streamFactory(protocol).expectedStreams ?? 1) : 1;
    this.#shared = this.#expectedStreams > 1;
    const requests = config.maxRequestsPerConnection;
    const most = config.http2?.maxConcurrentStreams ?? MAX_STREAMS;
    this.#maxStreams = requests > 0 ? Math.min(requests, most) : most;
    this.#expectedStreams = Math.min(this.#expectedStreams, this.#maxStreams);
    this.#idle = new IdleConnections(config.idleTimeoutMs, stats, wheel);
  }

  get idleConnections(): number {
    return this.#idle.size;
  }

  get connections(): number {
    return this.#connections.size + this.#connecting.size;
  }

  acquire(waiter: PoolWaiter): void {
    const connection = this.#takeShared() ?? (waiter.fresh ? undefined : this.#idle.take());
    if (connection !== undefined) {
      waiter.onConnection(connection);
      return;
    }
    if (this.#breaker.pendingFull) {
      this.#stats.upstream_rq_pending_overflow++;
      waiter.onFailure("overflow", "");
      return;
    }
    this.#waiters.add(waiter);
    this.#breaker.addPending(1);
    this.#connectForWaiters();
  }

  /** The request does not want a connection any more. One that is being made for it becomes idle. */
  cancel(waiter: PoolWaiter): void {
    if (this.#waiters.delete(waiter)) this.#breaker.addPending(-1);
  }

  /** Idle connections close now, busy ones after their response; requests that come have new ones. */
  renew(): void {
    this.#idle.closeAll();
    for (const connection of this.#connections) connection.drain();
  }

  /** The host has left: idle connections close now, busy ones after their response. Requests that chose it before still get through. */
  drain(): void {
    this.#draining = true;
    this.#idle.closeAll();
    this.#leaveWheel();
  }

  /** Ends all of it now; running requests are reset. */
  destroy(): void {
    this.drain();
    for (const waiter of this.#waiters) {
      this.cancel(waiter);
      waiter.onFailure("local reset", "the cluster is closed");
    }
    for (const socket of this.#connecting) socket.destroy(new Error("the cluster is closed"));
    for (const connection of this.#connections) connection.destroy();
  }

  /** One that serves others already and has room: before idle ones, so that these may age. */
  #takeShared(): ClientConnection | undefined {
    if (!this.#shared) return undefined;
    for (const connection of this.#connections) {
      if (connection.activeStreams > 0 && this.#hasRoom(connection)) return connection;
    }
    return undefined;
  }

  #hasRoom(connection: ClientConnection): boolean {
    const limit = this.#config.maxRequestsPerConnection;
    if (limit > 0 && connection.streamsOpened >= limit) return false;
    return connection.activeStreams < Math.min(connection.maxConcurrentStreams, this.#expectedStreams);
  }

  // Connecting

  #connectForWaiters(): void {
    while (this.#connecting.size * this.#expectedStreams < this.#waiters.size) {
      // A host without any connection always gets one: else requests to it would wait for ever.
      if (this.connections > 0 && this.#hasEnough()) {
        this.#stats.upstream_cx_overflow++;
        return;
      }
      this.#connect();
    }
  }

  #hasEnough(): boolean {
    const { maxConnectionsPerHost = Number.POSITIVE_INFINITY } = this.#config.circuitBreakers;
    return this.#breaker.connectionsFull || (this.#ofHost?.total ?? this.connections) >= maxConnectionsPerHost;
  }

  #connect(): void {
    this.#stats.upstream_cx_total++;
    this.#count(1);
    const startMs = this.#wheel.clockMs;
    const socket = connectHost(this.#address, this.#port, this.#config, this.#stats.ssl, () => {
      clearTimeout(timer);
      socket.off("error", onError);
      this.#connecting.delete(socket);
      this.#stats.upstream_cx_connect_ms.record(this.#wheel.clockMs - startMs);
      this.#onConnected(socket);
    });
    this.#connecting.add(socket);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      socket.destroy(new Error("connect timeout"));
    }, this.#config.connectTimeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      this.#connecting.delete(socket);
      this.#count(-1);
      this.#stats.upstream_cx_connect_fail++;
      if (timedOut) this.#stats.upstream_cx_connect_timeout++;
      const failure = timedOut ? { reason: "connection timeout" as const, details: "" } : connectFailureOf(error);
      this.#failFirst(failure.reason, failure.details);
    };
    socket.once("error", onError);
  }

  #onConnected(socket: Socket): void {
    const { protocol, highWatermarkBytes } = this.#config;
    const connection = streamFactory(protocol).createClient(socket, this, {
      highWatermarkBytes,
      http1: this.#config.http1,
      http2: { ...this.#config.http2, stats: this.#stats.http2 },
    });
    this.#connections.add(connection);
    if (this.#config.maxConnectionDurationMs > 0) this.#connectedAtMs.set(connection, this.#wheel.nowMs);
    this.#give(connection, true);
    // It may carry less than was thought when others were told to wait for it.
    if (this.#shared) this.#connectForWaiters();
  }

  #failFirst(reason: ResetReason, details: string): void {
    // All that the connection would have served: each on its own would wait for one failure after the other.
    let failing = this.#expectedStreams;
    for (const waiter of this.#waiters) {
      if (failing-- === 0) break;
      this.cancel(waiter);
      waiter.onFailure(reason, details);
    }
    this.#connectForWaiters();
    this.#leaveWheel();
  }

  #count(by: 1 | -1): void {
    this.#breaker.addConnections(by);
    this.#ofHost?.add(by);
  }

  // Connections in use

  /** @param fresh it has not been idle */
  #give(connection: ClientConnection, fresh: boolean): void {
    if (this.#waiters.size > 0 && this.#giveToWaiters(connection, fresh)) return;
    if (connection.activeStreams > 0 || !this.#connections.has(connection)) return;
    if (this.#draining) connection.destroy();
    // A connection of many streams also tells of capacity that it has without having been used.
    else if (!this.#shared || !this.#idle.has(connection)) this.#idle.put(connection);
  }

  /** @returns whether it has been given to any, or has no room for them */
  #giveToWaiters(connection: ClientConnection, fresh: boolean): boolean {
    let given = false;
    for (const waiter of this.#waiters) {
      if (!this.#hasRoom(connection)) return true;
      if (waiter.fresh && !fresh) continue;
      given = true;
      this.cancel(waiter);
      waiter.onConnection(connection);
      if (!this.#shared) return true;
    }
    return given;
  }

  onStreamDone(connection: ClientConnection): void {
    const limit = this.#config.maxRequestsPerConnection;
    if ((limit > 0 && connection.streamsOpened >= limit) || this.#isTooOld(connection)) connection.drain();
    else if (connection.maxConcurrentStreams > 0) {
      if (this.#shared) this.#expectedStreams = Math.min(connection.maxConcurrentStreams, this.#maxStreams);
      this.#give(connection, connection.activeStreams > 0);
    }
    // It may take no more, and those who wait need another.
    if (this.#shared) this.#connectForWaiters();
  }

  #isTooOld(connection: ClientConnection): boolean {
    const { maxConnectionDurationMs } = this.#config;
    if (maxConnectionDurationMs === 0) return false;
    return this.#wheel.nowMs - (this.#connectedAtMs.get(connection) ?? 0) >= maxConnectionDurationMs;
  }

  onHostLeaving(leaving: boolean): void {
    this.hostLeaving?.(leaving);
  }

  onClosed(connection: ClientConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#count(-1);
    this.#idle.forget(connection);
    this.#connectForWaiters();
    this.#leaveWheel();
  }

  #leaveWheel(): void {
    if (this.#draining && this.connections === 0) this.#idle.leaveWheel();
  }
}
