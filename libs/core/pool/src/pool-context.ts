import type { ObjectPool } from "./object-pool.ts";

/**
 * What one request has taken from pools, so that its end gives all of it back: also after a time-out, a reset or a retry, when
 * reuse matters most.
 */
export class PoolContext {
  readonly #taken: { readonly pool: ObjectPool<never>; readonly item: never }[] = [];
  #ended = false;

  get size(): number {
    return this.#taken.length;
  }

  /** @throws FairleadError FL_POOL_EXHAUSTED. @throws Error after `end`: nobody would give it back */
  take<T extends object>(pool: ObjectPool<T>): T {
    if (this.#ended) throw new Error(`${pool.name}: something is taken for a request that has ended`);
    const item = pool.take();
    this.#taken.push({ pool: pool as unknown as ObjectPool<never>, item: item as never });
    return item;
  }

  /** What a response has taken lives as long as its request. */
  moveTo(other: PoolContext): void {
    if (other.#ended) this.giveAll();
    else other.#taken.push(...this.#taken.splice(0));
  }

  /** The last that was taken first: it may use what was taken before. */
  giveAll(): void {
    for (let taken = this.#taken.pop(); taken !== undefined; taken = this.#taken.pop()) taken.pool.give(taken.item);
  }

  end(): void {
    this.#ended = true;
    this.giveAll();
  }
}
