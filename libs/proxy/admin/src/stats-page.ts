import { FairleadError } from "@fairlead/errors";
import { compileString } from "@fairlead/proxy-router";
import type { AdminAnswer } from "./admin-server.ts";
import { histogramsJson, histogramsText } from "./histogram-pages.ts";
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

/** As Envoy: an expression that occurs somewhere. The router's matcher takes linear time whatever is asked. */
export function searchOf(expression: string): (text: string) => boolean {
  try {
    return compileString({ kind: "regex", value: `(?:.*)(?:${expression})(?:.*)` }, "filter");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FairleadError("FL_REQUEST_INVALID", `the expression cannot be used: ${reason.slice(0, 200)}`);
  }
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
