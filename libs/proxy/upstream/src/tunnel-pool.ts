import type { TimerWheel } from "@fairlead/timer-wheel";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import type { Cluster } from "./cluster.ts";
import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";
import type { Host } from "./host.ts";

/** A connection of bytes to a host for each who asks: it has no next user. */
export class TunnelPool implements Pick<ConnectionPool, "acquire" | "cancel"> {
  readonly #cluster: Cluster;
  readonly #breaker: CircuitBreaker;
  readonly #pool: ConnectionPool;

  constructor(cluster: Cluster, breaker: CircuitBreaker, host: Host, wheel: TimerWheel) {
    this.#cluster = cluster;
    this.#breaker = breaker;
    const config = { ...cluster.config, protocol: "tcp", circuitBreakers: breaker.limits };
    this.#pool = new ConnectionPool(host.address, host.port, config, cluster.stats, wheel);
  }

  acquire(waiter: PoolWaiter): void {
    if (this.#breaker.connectionsFull) {
      this.#cluster.stats.upstream_cx_overflow++;
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
