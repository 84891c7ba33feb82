import { FairleadError } from "@fairlead/errors";
import type { AdminAnswer } from "./admin-server.ts";
import { histogramsJson, histogramsText } from "./histogram-pages.ts";
import { searchOf } from "./name-search.ts";
import { prometheusText } from "./prometheus-stats.ts";
import type { ProxyStats } from "./server-stats.ts";

/** @throws FairleadError FL_REQUEST_INVALID */
export function chosenStats(stats: ProxyStats, query: URLSearchParams): ProxyStats {
  const filter = query.get("filter");
  const usedOnly = query.has("usedonly");
  if (filter === null && !usedOnly) return stats;
  const matches = filter === null ? () => true : searchOf(filter);
  return {
    numbers: new Map([...stats.numbers].filter(([name, value]) => (!usedOnly || value !== 0) && matches(name))),
    // All of them are used.
    histograms: new Map([...stats.histograms].filter(([name]) => matches(name))),
  };
}

export function statsPage(all: ProxyStats, query: URLSearchParams): AdminAnswer {
  const format = query.get("format") ?? "text";
  const chosen = chosenStats(all, query);
  const { numbers, histograms } = chosen;
  switch (format) {
    case "json":
      return {
        body: {
          stats: [
            ...[...numbers].map(([name, value]) => ({ name, value })),
            ...(histograms.size === 0 ? [] : [histogramsJson(histograms)]),
          ],
        },
      };
    case "prometheus":
      return { body: prometheusText(chosen) };
    case "text":
      return {
        body: [...numbers].map(([name, value]) => `${name}: ${value}\n`).join("") + histogramsText(histograms),
      };
    default:
      throw new FairleadError("FL_REQUEST_INVALID", `format is text, json or prometheus, not ${format.slice(0, 50)}`);
  }
}
