import type { ObjectPool } from "./object-pool.ts";

/** What one request has taken from pools, so that its end gives all of it back, in whatever way it ends. */
export class PoolContext {
  readonly #taken: { readonly pool: ObjectPool<never>; readonly item: never }[] = [];
  #ended = false;

  /** @throws FairleadError FL_POOL_EXHAUSTED. @throws Error after `end`: nobody would give it back */
  take<T extends object>(pool: ObjectPool<T>): T {
    if (this.#ended) throw new Error(`${pool.name}: something is taken for a request that has ended`);
    const item = pool.take();
    this.#taken.push({ pool: pool as unknown as ObjectPool<never>, item: item as never });
    return item;
  }

  /** Gives all back, the last that was taken first: it may use what was taken before. */
  end(): void {
    this.#ended = true;
    const last = this.#taken.pop();
    if (last === undefined) return;
    try {
      last.pool.give(last.item);
    } finally {
      // What one of them throws keeps none of the others.
      this.end();
    }
  }
}
