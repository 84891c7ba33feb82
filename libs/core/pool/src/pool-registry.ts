import { ObjectPool, type PoolKind, type PoolStats } from "./object-pool.ts";

/** The pools of one thread, for statistics and for its end. */
export class PoolRegistry {
  readonly #pools = new Map<string, ObjectPool<never>>();

  /** @throws Error when there is a pool of that name */
  register<T extends object>(kind: PoolKind<T>): ObjectPool<T> {
    if (this.#pools.has(kind.name)) throw new Error(`there is a pool ${kind.name} already`);
    const pool = new ObjectPool(kind);
    this.#pools.set(kind.name, pool as unknown as ObjectPool<never>);
    return pool;
  }

  /** By name. */
  stats(): ReadonlyMap<string, PoolStats> {
    return new Map([...this.#pools].map(([name, pool]) => [name, pool.stats]));
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }
}
