import { FairleadError } from "@fairlead/errors";
import "./errors.ts";

/** What one pool holds. */
export interface PoolKind<T extends object> {
  /** Of the pool, in statistics and messages. */
  readonly name: string;
  create(): T;
  /**
   * Makes it as it was when it was new: nothing of the one who gave it may be left for the one who takes it.
   *
   * @returns false when it is of no more use: it is destroyed, and not kept
   */
  reset(item: T): boolean;
  /** Frees what the garbage collector does not, or late. @default nothing */
  destroy?(item: T): void;
  /** Kept for the next taker. @default 64 */
  readonly maxFree?: number;
  /** In use at one time; 0 = no limit. @default 0 */
  readonly maxTaken?: number;
}

export interface PoolStats {
  /** In use. */
  readonly taken: number;
  readonly free: number;
  readonly created: number;
  readonly reused: number;
  /** Given back and not kept. */
  readonly dropped: number;
}

/**
 * Objects that are dear to make: those with memory or a handle outside of the heap. Plain objects do not belong here: to make one and
 * forget it costs less than to reset and keep it (docs/decisions/0011-buffers-and-pools.md).
 *
 * The last one given is the first one taken. Who has given one back must not use it any more; to give it twice throws.
 */
export class ObjectPool<T extends object> {
  readonly #kind: PoolKind<T>;
  readonly #maxFree: number;
  readonly #maxTaken: number;
  readonly #free: T[] = [];
  /** Weak: what somebody has taken and lost is the garbage collector's, and not kept here for ever. */
  readonly #inUse = new WeakSet<T>();
  #taken = 0;
  #created = 0;
  #reused = 0;
  #dropped = 0;
  #closed = false;

  constructor(kind: PoolKind<T>) {
    this.#kind = kind;
    this.#maxFree = kind.maxFree ?? 64;
    this.#maxTaken = kind.maxTaken ?? 0;
  }

  get name(): string {
    return this.#kind.name;
  }

  get stats(): PoolStats {
    return {
      taken: this.#taken,
      free: this.#free.length,
      created: this.#created,
      reused: this.#reused,
      dropped: this.#dropped,
    };
  }

  /** @throws FairleadError FL_POOL_EXHAUSTED when as many as may be are in use */
  take(): T {
    if (this.#maxTaken > 0 && this.#taken >= this.#maxTaken) {
      throw new FairleadError("FL_POOL_EXHAUSTED", `${this.name}: ${this.#maxTaken} are in use, which is the limit`, {
        facts: { pool: this.name, limit: this.#maxTaken },
      });
    }
    const free = this.#free.pop();
    if (free === undefined) this.#created++;
    else this.#reused++;
    const item = free ?? this.#kind.create();
    this.#inUse.add(item);
    this.#taken++;
    return item;
  }

  /** @throws Error when it is not in use: it was given back before, or is another pool's */
  give(item: T): void {
    if (!this.#inUse.delete(item)) throw new Error(`${this.name}: what is given back was not taken`);
    this.#taken--;
    if (!this.#closed && this.#free.length < this.#maxFree && this.#kind.reset(item)) {
      this.#free.push(item);
      return;
    }
    this.#dropped++;
    this.#kind.destroy?.(item);
  }

  /** Destroys what is free now, and what is given back from now on. */
  close(): void {
    this.#closed = true;
    for (const item of this.#free.splice(0)) this.#kind.destroy?.(item);
  }
}
