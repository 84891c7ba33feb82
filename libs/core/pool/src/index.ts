export { ObjectPool, type PoolKind, type PoolStats } from "./object-pool.ts";
export { PoolContext } from "./pool-context.ts";
export { PoolRegistry } from "./pool-registry.ts";
