import { totalOf } from "@fairlead/stat-cells";
import type { TimerWheel } from "@fairlead/timer-wheel";
import type { Cluster } from "./cluster.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";
import type { Host } from "./host.ts";

/** A connection of bytes to a host for each who asks: it has no next user. */
export class TunnelPool implements Pick<ConnectionPool, "acquire" | "cancel"> {
  readonly #cluster: Cluster;
  readonly #pool: ConnectionPool;

  constructor(cluster: Cluster, host: Host, wheel: TimerWheel) {
    this.#cluster = cluster;
    this.#pool = new ConnectionPool(host.address, host.port, { ...cluster.config, protocol: "tcp" }, cluster.stats, wheel);
  }

  acquire(waiter: PoolWaiter): void {
    const { stats, config } = this.#cluster;
    if (totalOf(stats).upstream_cx_active >= config.circuitBreakers.maxConnections) {
      stats.upstream_cx_overflow++;
      this.#pool.drain();
      waiter.onFailure("overflow", "");
      return;
    }
    this.#pool.acquire(waiter);
    this.#pool.drain();
  }

  cancel(waiter: PoolWaiter): void {
    this.#pool.cancel(waiter);
  }
}
