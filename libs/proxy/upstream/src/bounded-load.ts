import type { Balancer, WeightedHost } from "./balancer.ts";
import type { Host } from "./host.ts";
import { randomHash } from "./ring-hash.ts";

export interface BoundedLoadOptions {
  /** How much of the average load a host may have, in percent. */
  readonly percent: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Balancing by hash with bounded loads (Mirrokni et al., 2016, arXiv:1608.01350): a host that has more than its share of the requests
 * under way passes the next one on. Where to depends on the hash alone, as in Envoy, so that a busy key has the same second host each
 * time, and the neighbour of a busy host does not get all of it (arXiv:1908.08762). Requests are those of this thread.
 */
export function boundedLoad(balancer: Balancer, hosts: readonly WeightedHost[], options: BoundedLoadOptions): Balancer {
  const total = hosts.reduce((sum, entry) => sum + entry.weight, 0);
  const shares = new Map(hosts.map(({ host, weight }) => [host, weight / total]));
  const all = [...shares.keys()];

  /** 1 = as many requests as it may have. */
  const loadOf = (host: Host, slots: number): number =>
    host.activeRequests / Math.max(1, Math.ceil(slots * (shares.get(host) ?? 0)));

  return {
    pick(choice, attempt) {
      const hash = choice?.hash ?? randomHash(options.random);
      const first = balancer.pick({ ...choice, hash }, attempt);
      if (first === undefined) return undefined;
      let active = 1;
      for (const host of all) active += host.activeRequests;
      const slots = Math.ceil((active * options.percent) / 100);
      let least = first;
      let leastLoad = loadOf(first, slots);
      if (leastLoad < 1) return first;
      for (const host of inOrderOf(hash, all)) {
        const load = loadOf(host, slots);
        if (load < 1) return host;
        if (load < leastLoad) {
          least = host;
          leastLoad = load;
        }
      }
      return least;
    },
  };
}

/** All hosts, shuffled; in the same way for the same hash. */
function* inOrderOf(hash: bigint, hosts: readonly Host[]): Generator<Host> {
  const order = [...hosts];
  // A linear congruential generator: it has to be even, not hard to guess.
  let state = Number(hash & 0xff_ff_ff_ffn);
  for (let i = 0; i < order.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = i + Math.floor((state / 2 ** 32) * (order.length - i));
    const host = order[other]!;
    order[other] = order[i]!;
    yield host;
  }
}
