import { addHistograms, histogramsOf, type HistogramTotals } from "@fairlead/stat-cells";
import { clusterPrefix, type StatsSource } from "./runtime-stats.ts";

/** All durations that were recorded, under their full names, in milliseconds. */
export function collectHistograms(
  source: Pick<StatsSource, "http" | "rpc" | "clusters">,
): Map<string, HistogramTotals> {
  const histograms = new Map<string, HistogramTotals>();
  const add = (prefix: string, group: object): void => {
    for (const [name, totals] of histogramsOf(group)) {
      const full = `${prefix}.${name}`;
      histograms.set(full, addHistograms(totals, histograms.get(full)));
    }
  };
  for (const [prefix, http] of source.http) add(`http.${prefix}`, http);
  for (const [prefix, rpc] of source.rpc) add(`rpc.${prefix}`, rpc);
  for (const { config, stats } of source.clusters) add(clusterPrefix(config), stats);
  return histograms;
}
