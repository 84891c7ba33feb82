import type { TimerWheel } from "@fairlead/timer-wheel";
import { TLSSocket } from "node:tls";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";
import { connectHost } from "./host-connect.ts";

/** What `ClusterConfig.protocol` says when the handshake tells whether a host speaks HTTP/2 (Envoy's auto_config). */
export const ALPN_PROTOCOL = "alpn";

const PLAINEST = "http1";
const offers = { http1: ["http/1.1"], http2: ["h2"] } as const;

/**
 * The connections to one host that is asked once what it speaks. That handshake is short-lived: its session makes the one of the
 * first connection that is used a short one. A host that cannot be asked now is tried in HTTP/1.1, and asked again later.
 */
export class ConnectionPoolByAlpn extends ConnectionPool {
  readonly #ask: (onAnswer: (protocol: keyof typeof offers | undefined) => void) => void;
  readonly #create: (protocol: keyof typeof offers) => ConnectionPool;
  readonly #plainest: ConnectionPool;
  readonly #asking = new Set<PoolWaiter>();
  #known: ConnectionPool | undefined;
  #drained = false;

  constructor(address: string, port: number, config: ClusterConfig, stats: ClusterStats, wheel: TimerWheel) {
    super(address, port, { ...config, protocol: PLAINEST }, stats, wheel);
    const { tls } = config;
    this.#create = (protocol) => {
      const offered = tls === undefined ? undefined : { ...tls, alpn: offers[protocol] };
      return new ConnectionPool(address, port, { ...config, protocol, tls: offered }, stats, wheel);
    };
    this.#plainest = this.#create(PLAINEST);
    this.#ask = (onAnswer) => {
      const offered = tls === undefined ? undefined : { ...tls, alpn: ["h2", "http/1.1"] };
      const socket = connectHost(address, port, { ...config, tls: offered }, stats.ssl, () => {
        clearTimeout(timer);
        onAnswer(socket instanceof TLSSocket && socket.alpnProtocol === "h2" ? "http2" : PLAINEST);
        socket.destroy();
      });
      const timer = setTimeout(() => socket.destroy(new Error("connect timeout")), config.connectTimeoutMs);
      socket.once("error", () => {
        clearTimeout(timer);
        onAnswer(undefined);
      });
    };
  }

  override get idleConnections(): number {
    return this.#plainest.idleConnections + (this.#known?.idleConnections ?? 0);
  }

  override get connections(): number {
    return this.#plainest.connections + (this.#known?.connections ?? 0);
  }

  override acquire(waiter: PoolWaiter): void {
    if (this.#known !== undefined) {
      this.#known.acquire(waiter);
      return;
    }
    this.#asking.add(waiter);
    if (this.#asking.size > 1) return;
    this.#ask((protocol) => {
      if (protocol === "http2") this.#known = this.#create(protocol);
      else if (protocol === PLAINEST) this.#known = this.#plainest;
      if (this.#drained) this.#known?.drain();
      const waiting = [...this.#asking];
      this.#asking.clear();
      for (const one of waiting) (this.#known ?? this.#plainest).acquire(one);
    });
  }

  override cancel(waiter: PoolWaiter): void {
    this.#asking.delete(waiter);
    this.#plainest.cancel(waiter);
    this.#known?.cancel(waiter);
  }

  override renew(): void {
    this.#plainest.renew();
    this.#known?.renew();
  }

  override drain(): void {
    super.drain();
    this.#drained = true;
    this.#plainest.drain();
    this.#known?.drain();
  }

  override destroy(): void {
    super.destroy();
    for (const waiter of this.#asking) waiter.onFailure("local reset", "the cluster is closed");
    this.#asking.clear();
    this.#plainest.destroy();
    this.#known?.destroy();
  }
}
