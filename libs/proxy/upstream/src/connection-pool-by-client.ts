import type { TimerWheel } from "@fairlead/timer-wheel";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";

/** What `ClusterConfig.protocol` says when hosts are spoken to as the client speaks to us (Envoy's use_downstream_protocol_config). */
export const CLIENT_PROTOCOL = "client";

/** For who does not say what its client speaks: probes. */
const PLAINEST = "http1";

/** The connections to one host of a cluster that is spoken to as its clients speak: a pool for each protocol that was asked for. */
export class ConnectionPoolByClient extends ConnectionPool {
  readonly #create: (protocol: string) => ConnectionPool;
  readonly #pools = new Map<string, ConnectionPool>();
  #drained = false;

  constructor(address: string, port: number, config: ClusterConfig, stats: ClusterStats, wheel: TimerWheel) {
    super(address, port, { ...config, protocol: PLAINEST }, stats, wheel);
    this.#create = (protocol) => new ConnectionPool(address, port, { ...config, protocol }, stats, wheel);
  }

  override get idleConnections(): number {
    return this.#sum((pool) => pool.idleConnections);
  }

  override get connections(): number {
    return this.#sum((pool) => pool.connections);
  }

  override acquire(waiter: PoolWaiter): void {
    const protocol = waiter.clientProtocol ?? PLAINEST;
    let pool = this.#pools.get(protocol);
    if (pool === undefined) {
      pool = this.#create(protocol);
      this.#pools.set(protocol, pool);
      if (this.#drained) pool.drain();
    }
    pool.acquire(waiter);
  }

  override cancel(waiter: PoolWaiter): void {
    for (const pool of this.#pools.values()) pool.cancel(waiter);
  }

  override drain(): void {
    super.drain();
    this.#drained = true;
    for (const pool of this.#pools.values()) pool.drain();
  }

  override destroy(): void {
    super.destroy();
    for (const pool of this.#pools.values()) pool.destroy();
  }

  #sum(of: (pool: ConnectionPool) => number): number {
    let sum = 0;
    for (const pool of this.#pools.values()) sum += of(pool);
    return sum;
  }
}

/** The pool that a cluster's hosts have. */
export function createConnectionPool(
  address: string,
  port: number,
  config: ClusterConfig,
  stats: ClusterStats,
  wheel: TimerWheel,
): ConnectionPool {
  const kind = config.protocol === CLIENT_PROTOCOL ? ConnectionPoolByClient : ConnectionPool;
  return new kind(address, port, config, stats, wheel);
}
