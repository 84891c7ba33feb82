import { shortTypeName } from "@fairlead/envoy-api";
import type { Style } from "../terminal/style.ts";
import { renderTable } from "../terminal/table.ts";
import { renderTimeSpan } from "../terminal/time-span.ts";
import { isSilent, type MeshStatus } from "./mesh-status.ts";
import type { TypeState } from "./proxy-report.ts";

/** `CDS`; a type that is not known keeps its URL. */
export function typeName(type: string): string {
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

/** By this machine's clock. */
function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

function stateCells(type: TypeState, style: Style, nowMs: number): [state: string, reason: string] {
  if (!isSilent(type, nowMs)) return [stateInColour(type.state, style), type.detail];
  const reason = `not answering since ${timeOfDay(type.sinceMs)}`;
  return [style("red", "NO ANSWER"), type.detail === "" ? reason : `${reason}: ${type.detail}`];
}

/** A row for each proxy and type of configuration. */
export function statusTable(report: Pick<MeshStatus, "proxies">, style: Style, nowMs: number): string {
  const rows = report.proxies
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
    .flatMap((proxy) =>
      proxy.types
        .filter(({ state }) => state !== "NOT_SUBSCRIBED")
        .map((type, index) => {
          const [state, reason] = stateCells(type, style, nowMs);
          return [
            index === 0 ? proxy.node : "",
            index === 0 ? proxy.app : "",
            index === 0 ? proxy.gateway : "",
            typeName(type.type),
            versionOf(type),
            state,
            renderTimeSpan(nowMs - type.sinceMs),
            reason,
          ];
        }),
    );
  return renderTable(["PROXY", "APP", "GATEWAY", "TYPE", "VERSION", "STATE", "FOR", "REASON"], rows, {
    maxCellWidth: 80,
  });
}
