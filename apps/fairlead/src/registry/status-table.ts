import { shortTypeName } from "@fairlead/envoy-api";
import type { Style } from "../terminal/style.ts";
import { renderTable } from "../terminal/table.ts";
import { renderTimeSpan } from "../terminal/time-span.ts";
import type { ProxyReport, TypeState } from "./proxy-report.ts";

/** `CDS`; a type that is not known keeps its URL. */
function typeName(type: string): string {
  const short = shortTypeName(type);
  return short.includes("/") ? short : short.toUpperCase();
}

function stateInColour(state: string, style: Style): string {
  if (state === "ACKED") return style("green", state);
  if (state === "NACKED") return style("red", state);
  return state === "NOT_SUBSCRIBED" ? style("dim", "-") : style("yellow", state);
}

/** The version that the proxy has; where another one is on its way, both. */
function versionOf({ sentVersion, ackedVersion }: TypeState): string {
  const short = (version: string) => (version === "" ? "-" : version.slice(0, 12));
  return sentVersion === ackedVersion ? short(ackedVersion) : `${short(ackedVersion)} → ${short(sentVersion)}`;
}

/** A row for each proxy and type of configuration. */
export function statusTable(report: ProxyReport, style: Style, nowMs: number): string {
  const rows = report.proxies
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
    .flatMap((proxy) =>
      proxy.types
        .filter(({ state }) => state !== "NOT_SUBSCRIBED")
        .map((type, index) => [
          index === 0 ? proxy.node : "",
          index === 0 ? proxy.app : "",
          index === 0 ? proxy.gateway : "",
          typeName(type.type),
          versionOf(type),
          stateInColour(type.state, style),
          renderTimeSpan(nowMs - type.sinceMs),
          type.detail,
        ]),
    );
  return renderTable(["PROXY", "APP", "GATEWAY", "TYPE", "VERSION", "STATE", "FOR", "REASON"], rows, {
    maxCellWidth: 80,
  });
}

/** One line, and one for each gateway that does not answer. */
export function statusSummary(report: ProxyReport, style: Style): string {
  const worst = report.proxies.map(({ types }) => {
    if (types.some(({ state }) => state === "NACKED")) return "refused";
    return types.some(({ state }) => state === "SENT" || state === "BLOCKED") ? "pending" : "current";
  });
  const count = (of: string) => worst.filter((state) => state === of).length;
  const silent = report.gateways.filter(({ error }) => error !== undefined);
  const revision = Math.max(0, ...report.proxies.flatMap(({ types }) => types.map((type) => type.revision)));
  const parts = [
    `${report.proxies.length} proxies on ${report.gateways.length} gateways, revision ${revision}`,
    `${count("current")} current`,
    count("pending") > 0 ? style("yellow", `${count("pending")} pending`) : "0 pending",
    count("refused") > 0 ? style("red", `${count("refused")} refused configuration`) : "0 refused configuration",
  ];
  const lines = silent.map(({ id, error }) => style("red", `gateway ${id} does not answer: ${error}`));
  return [parts.join("; "), ...lines].join("\n");
}
