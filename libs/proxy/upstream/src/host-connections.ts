import { commonCells, type CommonGauges, commonGauges } from "@fairlead/stat-cells";
import { xxHash64 } from "./xx-hash.ts";

/** Hosts that one version of a cluster may have had whose connections are counted over all threads; others are by each thread alone. */
const CAPACITY = 2048;

/** The connections to one host. */
export interface HostConnectionCount {
  add(by: 1 | -1): void;
  /** In all threads. */
  readonly total: number;
}

/**
 * The connections to each host of a cluster, over all threads. Threads learn of hosts at different times and of some alone: they
 * agree on a host's gauge in a table of the hashes of their addresses, which only ever fills.
 */
export class HostConnections {
  /** 0 = free. */
  readonly #hashes: BigInt64Array;
  readonly #gauges: CommonGauges;
  readonly #ownGauges = new Map<string, HostConnectionCount>();

  /** To be made where all threads make the same (`CommonCells.within`). */
  constructor() {
    const { buffer } = commonCells(CAPACITY * 2);
    this.#hashes = new BigInt64Array(buffer);
    this.#gauges = commonGauges(CAPACITY);
  }

  /** @param key `address:port` */
  of(key: string): HostConnectionCount {
    const gauge = this.#place(BigInt.asIntN(64, xxHash64(key)) || 1n);
    if (gauge === undefined) return this.#ownCount(key);
    const gauges = this.#gauges;
    return {
      add: (by) => gauges.add(gauge, by),
      get total() {
        return gauges.total(gauge);
      },
    };
  }

  #place(hash: bigint): number | undefined {
    const first = Number(BigInt.asUintN(32, hash)) % CAPACITY;
    for (let i = 0; i < CAPACITY; i++) {
      const at = (first + i) % CAPACITY;
      // Whoever comes first has it.
      const found = Atomics.compareExchange(this.#hashes, at, 0n, hash);
      if (found === 0n || found === hash) return at;
    }
    return undefined;
  }

  #ownCount(key: string): HostConnectionCount {
    let count = this.#ownGauges.get(key);
    if (count === undefined) {
      let total = 0;
      count = {
        add: (by) => void (total += by),
        get total() {
          return total;
        },
      };
      this.#ownGauges.set(key, count);
    }
    return count;
  }
}
