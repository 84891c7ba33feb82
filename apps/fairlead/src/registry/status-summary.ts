import { refusalText } from "@fairlead/registration";
import type { Style } from "../terminal/style.ts";
import { renderTimeSpan } from "../terminal/time-span.ts";
import { isSilent, type MeshStatus } from "./mesh-status.ts";
import { rejectionLines } from "./rejections.ts";
import { typeName } from "./status-table.ts";

function compilerLine({ compiler }: MeshStatus, style: Style, nowMs: number): string {
  if ("error" in compiler) return style("red", `config-compiler: not known: ${compiler.error}`);
  const { active, activeForMs = 0, compiled, revision } = compiler;
  const who = active
    ? `config-compiler: active for ${renderTimeSpan(activeForMs)}`
    : style("red", "config-compiler: none is active, nothing is compiled");
  const commit =
    compiled === undefined
      ? "no commit is known"
      : `revision ${compiled.revision} by ${compiled.compiler}, ${renderTimeSpan(nowMs - compiled.atMs)} ago`;
  const behind =
    compiled !== undefined && compiled.revision < revision ? style("yellow", `; ${revision} is stored`) : "";
  return `${who}; ${commit}${behind}`;
}

function gatewayLine(gateway: MeshStatus["gateways"][number], style: Style): string {
  const { id, revision = 0, connected = 0, lastHeardMs = 0, error } = gateway;
  const line = `ads-gateway ${id}: revision ${revision}, ${connected} proxies, heard ${renderTimeSpan(lastHeardMs)} ago`;
  return error === undefined ? line : `${line}; ${style("red", `its proxies are not known: ${error}`)}`;
}

function refusalLines({ nacks }: MeshStatus, style: Style, nowMs: number): string[] {
  return nacks.map((refusal) => {
    const { node, type, sinceMs } = refusal;
    return `  ${style("red", node)} ${typeName(type)} for ${renderTimeSpan(nowMs - sinceMs)}: ${refusalText(refusal)}`;
  });
}

function rejectedLines(status: MeshStatus, style: Style): string[] {
  const { compiler } = status;
  if ("error" in compiler) return [];
  const heading = `rejected by the compiler${ofOlder(status)}`;
  if (compiler.rejected === undefined)
    return [`${heading}:`, "  what it rejects is not known; registry-sync's log has the reason"];
  return rejectionLines(heading, compiler.rejected, style);
}

/** Where it is not of the newest revision. */
function ofOlder({ compiler }: MeshStatus): string {
  if ("error" in compiler || (compiler.rejectedRevision ?? compiler.revision) >= compiler.revision) return "";
  return ` (as of revision ${compiler.rejectedRevision})`;
}

function unconnectedLines({ unconnected = [] }: MeshStatus, style: Style, nowMs: number): string[] {
  return unconnected.map(({ node, renewedAgoMs, closedMs }) => {
    const closed = closedMs === undefined ? "" : `, its connection ended ${renderTimeSpan(nowMs - closedMs)} ago`;
    return `  ${style("yellow", node)}${closed}, last renewal of its lease ${renderTimeSpan(renewedAgoMs)} ago`;
  });
}

/** The mesh in a line, its compiler, its gateways, what proxies refuse, and what the compiler does. */
export function statusSummary(status: MeshStatus, style: Style, nowMs: number): string {
  const worst = status.proxies.map(({ types }) => {
    if (types.some(({ state }) => state === "NACKED")) return "refused";
    if (types.some((type) => isSilent(type, nowMs))) return "silent";
    return types.some(({ state }) => state === "SENT" || state === "BLOCKED") ? "pending" : "current";
  });
  const count = (of: string) => worst.filter((state) => state === of).length;
  const revision = Math.max(0, ...status.proxies.flatMap(({ types }) => types.map((type) => type.revision)));
  const parts = [
    `${status.proxies.length} proxies on ${status.gateways.length} gateways, revision ${revision}`,
    `${count("current")} current`,
    count("pending") > 0 ? style("yellow", `${count("pending")} pending`) : "0 pending",
    ...(count("silent") > 0 ? [style("red", `${count("silent")} not answering`)] : []),
    count("refused") > 0 ? style("red", `${count("refused")} refused configuration`) : "0 refused configuration",
  ];
  const refusals = refusalLines(status, style, nowMs);
  const unconnected = unconnectedLines(status, style, nowMs);
  const rejected = rejectedLines(status, style);
  return [
    parts.join("; "),
    compilerLine(status, style, nowMs),
    ...status.gateways.map((gateway) => gatewayLine(gateway, style)),
    ...(unconnected.length === 0 ? [] : ["", "registered, but connected to no gateway:", ...unconnected]),
    ...(refusals.length === 0 ? [] : ["", "refused by proxies, which keep what they had:", ...refusals]),
    ...(rejected.length === 0 ? [] : ["", ...rejected]),
  ].join("\n");
}
