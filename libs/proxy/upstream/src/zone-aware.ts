import type { Balancer } from "./balancer.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { HostEntry, HostSet } from "./host-set.ts";

/** How a cluster keeps requests in the zone that they come from (Envoy's `zone_aware_lb_config`). */
export interface ZoneAwareRouting {
  /** The share of requests that this is for, in percent. @default 100 */
  readonly routingPercent: number;
  /** With less usable hosts requests go to all of them. @default 6 */
  readonly minClusterSize: number;
  /** A priority with too few usable hosts has none, in the place of all. @default false */
  readonly failsOnPanic: boolean;
}

/** Where this proxy is, among those that call as it does. */
export interface ZoneContext {
  /** `region/zone/subzone` of this proxy. */
  readonly locality: string;
  /** The proxies that call the same hosts, as they are now. */
  readonly callers: () => HostSet | undefined;
  readonly stats: ClusterStats;
}

interface Locality {
  readonly name: string;
  readonly hosts: number;
  readonly balancer: Balancer;
}

/** Who gets how much of the requests, 0 to 1 in all, by the index of the locality. */
export type ZoneShares = readonly number[];

/**
 * Envoy's arithmetic: with as large a part of the hosts as of the callers a locality serves its own requests. With less it serves
 * what its hosts are worth, and the rest goes to where hosts have room besides their own callers.
 *
 * @param hosts of each locality; the first is the caller's own
 * @param callers of each locality
 * @returns undefined when nothing is known of the callers
 */
export function zoneShares(
  hosts: readonly number[],
  callers: readonly number[],
  allCallers: number,
): ZoneShares | undefined {
  const allHosts = sum(hosts);
  const ofHosts = hosts.map((count) => count / allHosts);
  const ofCallers = callers.map((count) => count / allCallers);
  const [own = 0] = ofHosts;
  const [here = 0] = ofCallers;
  if (allCallers === 0) return undefined;
  if (own >= here) return hosts.map((_count, i) => (i === 0 ? 1 : 0));
  const stays = own / here;
  const room = ofHosts.map((part, i) => (i === 0 ? 0 : Math.max(0, part - (ofCallers[i] ?? 0))));
  // More than nothing: what the own locality lacks others have too much.
  const allRoom = sum(room);
  return room.map((part, i) => (i === 0 ? stays : ((1 - stays) * part) / allRoom));
}

/**
 * Chooses a locality for each request, then a host of it.
 *
 * @param all chooses among the hosts of all localities
 * @param create chooses among some of the hosts
 * @returns `all` where there is nothing to choose
 */
export function zoneAware(
  entries: readonly HostEntry[],
  all: Balancer,
  create: (entries: readonly HostEntry[]) => Balancer,
  routing: ZoneAwareRouting,
  zone: ZoneContext,
  random: () => number,
): Balancer {
  const byName = Map.groupBy(entries, ({ locality }) => locality);
  const own = byName.get(zone.locality);
  if (own === undefined || byName.size < 2) return all;
  if (entries.length < routing.minClusterSize) {
    zone.stats.lb_zone_cluster_too_small++;
    return all;
  }
  byName.delete(zone.locality);
  const localities: readonly Locality[] = [[zone.locality, own] as const, ...byName].map(([name, hosts]) => ({
    name,
    hosts: hosts.length,
    balancer: create(hosts),
  }));
  let seen: HostSet | undefined;
  let shares: ZoneShares | undefined;
  return {
    pick(choice, attempt) {
      const callers = zone.callers();
      if (callers !== seen) {
        seen = callers;
        shares = callers === undefined ? undefined : sharesOf(localities, callers);
        zone.stats.lb_recalculate_zone_structures++;
      }
      if (shares === undefined || (routing.routingPercent < 100 && random() * 100 >= routing.routingPercent))
        return all.pick(choice, attempt);
      return localities[chosen(shares, random, zone.stats)]?.balancer.pick(choice, attempt);
    },
  };
}

function sharesOf(localities: readonly Locality[], callers: HostSet): ZoneShares | undefined {
  const usable = callers.panic ? [] : callers.entries.filter((entry) => callers.isHealthy(entry));
  return zoneShares(
    localities.map(({ hosts }) => hosts),
    localities.map(({ name }) => usable.filter(({ locality }) => locality === name).length),
    usable.length,
  );
}

function chosen(shares: ZoneShares, random: () => number, stats: ClusterStats): number {
  const [stays = 0] = shares;
  if (stays === 1) {
    stats.lb_zone_routing_all_directly++;
    return 0;
  }
  let point = random();
  let at = 0;
  while (at < shares.length - 1 && point >= shares[at]!) point -= shares[at++]!;
  if (at === 0) stats.lb_zone_routing_sampled++;
  else stats.lb_zone_routing_cross_zone++;
  return at;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
