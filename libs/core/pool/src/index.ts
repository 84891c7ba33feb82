export { ObjectPool, type PoolKind, type PoolStats } from "./object-pool.ts";
export { PoolContext } from "./pool-context.ts";
export { type CountedPool, type PoolCounts, PoolRegistry, threadPools } from "./pool-registry.ts";
