/** Of a pool, in numbers; beside these each kind has its own. */
export interface PoolCounts {
  /** Held by somebody. */
  readonly taken: number;
  readonly created: number;
  /** Taken from what was given back. */
  readonly reused: number;
  /** Given back and not kept. */
  readonly dropped: number;
}

export interface CountedPool {
  readonly stats: PoolCounts;
}

/**
 * The pools of one thread, by name, so that operators and tests see what is taken and not given back.
 *
 * They are held weakly: a pool may be a configuration's, and goes with it. Pools of one name are counted together.
 */
export class PoolRegistry {
  #pools: { readonly name: string; readonly pool: WeakRef<CountedPool> }[] = [];

  add<Pool extends CountedPool>(name: string, pool: Pool): Pool {
    this.#pools.push({ name, pool: new WeakRef(pool) });
    return pool;
  }

  /** By name, sorted. */
  stats(): ReadonlyMap<string, PoolCounts> {
    const sums = new Map<string, PoolCounts>();
    this.#pools = this.#pools.filter(({ name, pool }) => {
      const stats = pool.deref()?.stats;
      if (stats === undefined) return false;
      const { taken, created, reused, dropped } = sums.get(name) ?? { taken: 0, created: 0, reused: 0, dropped: 0 };
      sums.set(name, {
        taken: taken + stats.taken,
        created: created + stats.created,
        reused: reused + stats.reused,
        dropped: dropped + stats.dropped,
      });
      return true;
    });
    return new Map([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Each thread loads its own. */
export const threadPools = new PoolRegistry();
