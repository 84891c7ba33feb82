export { ByteChain, type ByteChainOptions } from "./byte-chain.ts";
export { IdTable } from "./id-table.ts";
export { type Member, MemberList } from "./member-list.ts";
export { Slab } from "./slab.ts";
export { SlotPool, type SlotPoolOptions, type SlotPoolStats } from "./slot-pool.ts";
