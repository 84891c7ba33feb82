import type { HttpStats } from "@fairlead/proxy-filter";
import type { ClusterStats } from "@fairlead/proxy-upstream";

/** Counts of one xDS type's responses, by Envoy's names. */
export class UpdateStats {
  update_attempt = 0;
  update_success = 0;
  update_rejected = 0;
}

export interface StatsSource {
  readonly http: ReadonlyMap<string, HttpStats>;
  readonly clusters: Iterable<readonly [name: string, stats: ClusterStats]>;
  readonly updates: ReadonlyMap<string, UpdateStats>;
}

/** All counters and gauges under their full names. */
export function collectStats(source: StatsSource): Map<string, number> {
  const stats = new Map<string, number>();
  for (const [prefix, http] of source.http) add(stats, `http.${prefix}`, http);
  for (const [name, cluster] of source.clusters) add(stats, `cluster.${name}`, cluster);
  for (const [prefix, updates] of source.updates) add(stats, prefix, updates);
  return stats;
}

function add(stats: Map<string, number>, prefix: string, group: object): void {
  for (const [name, value] of Object.entries(group))
    if (typeof value === "number") stats.set(`${prefix}.${name}`, value);
}
