import type { Balancer, WeightedHost } from "./balancer.ts";
import type { Host } from "./host.ts";
import { xxHash64 } from "./xx-hash.ts";

export interface RingOptions {
  /** @default 1024 */
  readonly minRingSize: number;
  /** @default 8388608 */
  readonly maxRingSize: number;
  readonly random: () => number;
}

/**
 * Ketama's ring as Envoy builds it: each host has points `<key>_<i>`, as many as its weight is worth; a request goes to the next
 * point at or behind its hash. Proxies of either kind that know the same hosts choose the same one.
 */
export function ringHash(hosts: readonly WeightedHost[], options: RingOptions): Balancer {
  const total = hosts.reduce((sum, entry) => sum + entry.weight, 0);
  const least = hosts.reduce((min, entry) => Math.min(min, entry.weight), Number.POSITIVE_INFINITY) / total;
  const scale = Math.min(Math.ceil(least * options.minRingSize) / least, options.maxRingSize);
  const points: { readonly hash: bigint; readonly host: Host }[] = [];
  let target = 0;
  for (const { host, weight } of hosts) {
    target += (scale * weight) / total;
    for (let i = 0; points.length < target; i++) points.push({ hash: xxHash64(`${host.hashKey}_${i}`), host });
  }
  points.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
  const hashes = BigUint64Array.from(points, (point) => point.hash);
  return {
    pick(choice, attempt = 0) {
      const hash = choice?.hash ?? randomHash(options.random);
      const at = firstAtOrBehind(hashes, hash);
      return points[(at + attempt) % points.length]?.host;
    },
  };
}

/** @returns 0 when all are before: the ring is closed */
function firstAtOrBehind(hashes: BigUint64Array, hash: bigint): number {
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hashes[middle]! < hash) low = middle + 1;
    else high = middle;
  }
  return low === hashes.length ? 0 : low;
}

/** For requests that have nothing to hash: spread over all. */
export function randomHash(random: () => number): bigint {
  return (BigInt(Math.trunc(random() * 2 ** 32)) << 32n) | BigInt(Math.trunc(random() * 2 ** 32));
}
