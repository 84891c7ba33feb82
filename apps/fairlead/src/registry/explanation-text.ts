import { type CallExplanation, type ExplainedCluster, type Origin, originText } from "@fairlead/registration";
import type { Style } from "../terminal/style.ts";

/** Of a cluster; `--json` has all. */
const shownEndpoints = 10;
const shownObjects = 5;

function from(objects: readonly Origin[], style: Style): string {
  if (objects.length === 0) return "";
  const more = objects.length > shownObjects ? ` and ${objects.length - shownObjects} more` : "";
  const words = objects.slice(0, shownObjects).map((object) => `${object.kind} ${originText(object)}`);
  return style("dim", `  from ${words.join(", ")}${more}`);
}

function clusterLines(cluster: ExplainedCluster, share: number, style: Style): string[] {
  const { name, known, endpoints, objects, endpointObjects } = cluster;
  const head = `cluster       ${name}  ${share.toFixed(share % 1 === 0 ? 0 : 1)} %`;
  if (!known) return [`${head}  ${style("red", "the proxy does not have it: 503")}`];
  const ofEndpoints = endpointObjects.filter(({ kind }) => kind !== "service");
  const lines = endpoints.slice(0, shownEndpoints).map(({ address, port, weight, priority }) => {
    const host = address.includes(":") ? `[${address}]` : address;
    return `  endpoint    ${host}:${port}  weight ${weight}${priority === 0 ? "" : `, priority ${priority}`}`;
  });
  if (endpoints.length > shownEndpoints) lines.push(`  and ${endpoints.length - shownEndpoints} more endpoints`);
  if (endpoints.length === 0) lines.push(`  ${style("yellow", "no endpoint: 503")}`);
  const origin = from(ofEndpoints, style);
  return [`${head}${from(objects, style)}`, ...lines, ...(origin === "" ? [] : [`  ${origin.trimStart()}`])];
}

/** A call, step by step, each with what it comes from. */
export function explanationText(explanation: CallExplanation, style: Style): string {
  const { node, registered, scope, revision, listener, taken, routeObjects, clusters } = explanation;
  const who = node === "" ? "a proxy that nobody registered" : registered ? node : `${node}, which nobody registered`;
  const sees = scope === "everything" ? "sees everything" : `sees what it subscribed to (scope ${scope})`;
  const lines = [
    `proxy         ${who}; ${sees}; revision ${revision}`,
    listener === undefined ? "listener      none of the mesh's" : `listener      outbound${from(listener, style)}`,
  ];
  if (taken.kind === "none")
    return [...lines, `answer        ${style("red", `${taken.status}: ${taken.reason}`)}`].join("\n");
  const { action } = taken;
  lines.push(
    `virtual host  ${taken.virtualHost}${from(routeObjects, style)}`,
    `route         ${taken.route === "" ? "(no name)" : taken.route}  matched by ${taken.matchedBy}`,
  );
  if (action.kind === "redirect") return [...lines, `answer        ${action.status}, to ${action.location}`].join("\n");
  if (action.kind === "direct") return [...lines, `answer        ${action.status}, by the proxy itself`].join("\n");
  const total = action.clusters.reduce((sum, { weight }) => sum + weight, 0);
  const byName = new Map(clusters.map((cluster) => [cluster.name, cluster]));
  lines.push(
    `sent          ${action.sent.authority}${action.sent.path}  ${action.timeoutMs === 0 ? "no time-out" : `time-out ${action.timeoutMs} ms`}`,
  );
  for (const { name, weight } of action.clusters) {
    lines.push(...clusterLines(byName.get(name)!, (100 * weight) / total, style));
  }
  return lines.join("\n");
}

/** Whether the call would reach an application. */
export function reachesAnApplication({ taken, clusters }: CallExplanation): boolean {
  return (
    taken.kind === "route" &&
    (taken.action.kind !== "forward" || clusters.every(({ known, endpoints }) => known && endpoints.length > 0))
  );
}
