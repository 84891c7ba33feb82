import type { Balancer, WeightedHost } from "./balancer.ts";
import type { Host } from "./host.ts";
import { randomHash } from "./ring-hash.ts";
import { xxHash64 } from "./xx-hash.ts";

export interface MaglevOptions {
  /** A prime. @default 65537 */
  readonly tableSize: number;
  readonly random: () => number;
}

const MASK = (1n << 64n) - 1n;

/**
 * Maglev's table (Eisenbud et al., 2016, §3.4) with Envoy's weights: hosts take turns to claim the next free slot of their own
 * order of the slots, the heaviest in every turn. Nearly even, and few slots change hands when a host comes or goes.
 */
export function maglev(hosts: readonly WeightedHost[], options: MaglevOptions): Balancer {
  const size = options.tableSize;
  const table: (Host | undefined)[] = Array.from({ length: size });
  const heaviest = hosts.reduce((max, entry) => Math.max(max, entry.weight), 0);
  const claims = hosts.map(({ host, weight }) => ({
    host,
    weight,
    offset: Number(xxHash64(host.hashKey) % BigInt(size)),
    skip: Number((xxHash64(host.hashKey, 1n) % BigInt(size - 1)) + 1n),
    next: 0,
    turn: 0,
  }));
  let filled = 0;
  for (let iteration = 1; filled < size; iteration++) {
    for (const claim of claims) {
      if (filled >= size) break;
      // A host of half the weight takes every other turn.
      if (iteration * claim.weight < claim.turn) continue;
      claim.turn += heaviest;
      let slot = (claim.offset + claim.skip * claim.next) % size;
      while (table[slot] !== undefined) {
        claim.next++;
        slot = (claim.offset + claim.skip * claim.next) % size;
      }
      table[slot] = claim.host;
      claim.next++;
      filled++;
    }
  }
  return {
    pick(choice, attempt = 0) {
      const hash = choice?.hash ?? randomHash(options.random);
      // Another slot for another attempt, as Envoy finds it.
      const key = attempt === 0 ? hash : hash ^ (MASK - BigInt(attempt) + 1n);
      return table[Number(key % BigInt(size))];
    },
  };
}
