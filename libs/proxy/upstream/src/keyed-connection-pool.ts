import { ConnectionPool, type PoolWaiter } from "./connection-pool.ts";

/** Clients can name what pools are told apart by: beyond so many, those without a connection are forgotten. */
const MAX_POOLS = 100;

/** The connections to one host, in a pool for each kind that requests want. */
export abstract class KeyedConnectionPool extends ConnectionPool {
  readonly #pools = new Map<string, ConnectionPool>();
  #drained = false;

  /** What a request's pool is found by. */
  protected abstract keyOf(waiter: PoolWaiter): string;
  protected abstract create(key: string): ConnectionPool;

  override get idleConnections(): number {
    return this.#sum((pool) => pool.idleConnections);
  }

  override get connections(): number {
    return this.#sum((pool) => pool.connections);
  }

  override acquire(waiter: PoolWaiter): void {
    const key = this.keyOf(waiter);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      if (this.#pools.size >= MAX_POOLS) this.#forgetUnused();
      pool = this.create(key);
      this.#pools.set(key, pool);
      if (this.#drained) pool.drain();
    }
    pool.acquire(waiter);
  }

  override cancel(waiter: PoolWaiter): void {
    for (const pool of this.#pools.values()) pool.cancel(waiter);
  }

  override renew(): void {
    for (const pool of this.#pools.values()) pool.renew();
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

  #forgetUnused(): void {
    for (const [key, pool] of this.#pools) {
      if (pool.connections > 0) continue;
      pool.drain();
      this.#pools.delete(key);
    }
  }

  #sum(of: (pool: ConnectionPool) => number): number {
    let sum = 0;
    for (const pool of this.#pools.values()) sum += of(pool);
    return sum;
  }
}
