import type { Audience, Preview, PreviewedObject, PreviewedResource } from "@fairlead/registration";
import type { Style } from "../terminal/style.ts";

/** Names of proxies in a line; the others are counted. `--json` has all. */
const shownNodes = 5;

export interface PreviewedChange {
  readonly objects: readonly PreviewedObject[];
  readonly preview: Preview;
}

/** Whether anything would be another: the text of an object, a resource of a proxy. */
export function hasChanges({ objects, preview }: PreviewedChange): boolean {
  return objects.some(({ outcome }) => outcome !== "unchanged") || preview.resources.length > 0;
}

/** Objects that the compiler takes now, or that are new, and would not take. */
export const newlyRejected = ({ preview }: PreviewedChange): Preview["rejected"] =>
  preview.rejected.filter(({ already }) => !already);

function diffInColour(diff: string, style: Style): string[] {
  return diff.split("\n").map((line) => {
    if (line.startsWith("@@")) return style("cyan", line);
    if (line.startsWith("+")) return style("green", line);
    return line.startsWith("-") ? style("red", line) : line;
  });
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `    ${line}`);

function proxiesOf({ nodes, unregistered }: Audience): string {
  const shown = nodes.slice(0, shownNodes).join(", ");
  const more = nodes.length > shownNodes ? ` and ${nodes.length - shownNodes} more` : "";
  const registered = nodes.length === 0 ? "no registered proxy" : `${shown}${more}`;
  return unregistered ? `${registered}; and those that nobody registered` : registered;
}

function objectLines({ kind, namespace, name, outcome, diff = "" }: PreviewedObject, style: Style): string[] {
  const title = `${kind} ${namespace}/${name}`;
  if (outcome === "unchanged") return [`${title}: unchanged`];
  const head = `${title}: would be ${outcome}`;
  if (diff === "") return [`${head} (only where it comes from)`];
  return [head, ...indented(diffInColour(diff, style))];
}

/** Scopes hold routes of their own, and a change is the same in many of them: it is shown once, for the proxies of all. */
function alike({ resources, audiences }: Preview): (Omit<PreviewedResource, "key" | "audience"> & Audience)[] {
  const groups = Map.groupBy(resources, ({ change, type, name, diff }) => JSON.stringify([change, type, name, diff]));
  return [...groups.values()].map((group) => {
    const held = group.map(({ audience }) => audiences[audience]!);
    const nodes = [...new Set(held.flatMap((audience) => audience.nodes))].toSorted();
    return { ...group[0]!, nodes, unregistered: held.some(({ unregistered }) => unregistered) };
  });
}

/** Objects with their diffs, resources with theirs and for whom, and what the compiler would refuse. */
export function previewText(change: PreviewedChange, style: Style): string {
  const { resources, audiences, rejected, diffsLeftOut } = change.preview;
  const lines = change.objects.flatMap((object) => objectLines(object, style));
  for (const { change: what, type, name, nodes, unregistered, diff } of alike(change.preview)) {
    lines.push("", `${style("bold", `${what} ${type} ${name}`)} for ${proxiesOf({ nodes, unregistered })}`);
    if (diff !== undefined) lines.push(...indented(diffInColour(diff, style)));
  }
  if (diffsLeftOut > 0) lines.push("", `${diffsLeftOut} of them are shown without what differs`);
  if (rejected.length > 0)
    lines.push(
      "",
      "The compiler would not take (what each said when it last could be compiled stays, where that still can be):",
    );
  for (const { key, file, line, code, message, already } of rejected) {
    const place = file === "" ? "" : `${file}:${line} `;
    lines.push(`  ${place}${key}: ${style("red", code)}: ${message}${already ? " (as now)" : ""}`);
  }
  const proxies = new Set(resources.flatMap(({ audience }) => audiences[audience]!.nodes));
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  lines.push(
    "",
    resources.length === 0
      ? "no resource of any proxy would change"
      : `${count(resources.length, "resource", "resources")} would change, for ${count(proxies.size, "registered proxy", "registered proxies")}`,
  );
  return lines.join("\n");
}
