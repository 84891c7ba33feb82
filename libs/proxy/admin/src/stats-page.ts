import { FairleadError } from "@fairlead/errors";
import { compileString } from "@fairlead/proxy-router";
import type { AdminAnswer } from "./admin-server.ts";
import { prometheusText } from "./prometheus-stats.ts";

/** @throws FairleadError FL_REQUEST_INVALID */
export function chosenStats(stats: ReadonlyMap<string, number>, query: URLSearchParams): ReadonlyMap<string, number> {
  const filter = query.get("filter");
  const usedOnly = query.has("usedonly");
  if (filter === null && !usedOnly) return stats;
  const matches = filter === null ? () => true : searchOf(filter);
  return new Map([...stats].filter(([name, value]) => (!usedOnly || value !== 0) && matches(name)));
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

export function statsPage(all: ReadonlyMap<string, number>, query: URLSearchParams): AdminAnswer {
  const format = query.get("format") ?? "text";
  const stats = chosenStats(all, query);
  switch (format) {
    case "json":
      return { body: { stats: [...stats].map(([name, value]) => ({ name, value })) } };
    case "prometheus":
      return { body: prometheusText(stats) };
    case "text":
      return { body: [...stats].map(([name, value]) => `${name}: ${value}\n`).join("") };
    default:
      throw new FairleadError("FL_REQUEST_INVALID", `format is text, json or prometheus, not ${format.slice(0, 50)}`);
  }
}
