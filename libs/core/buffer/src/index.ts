export { ByteChain, type ByteChainOptions } from "./byte-chain.ts";
export { Slab } from "./slab.ts";
export { SlotPool, type SlotPoolOptions, type SlotPoolStats } from "./slot-pool.ts";
