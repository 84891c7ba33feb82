import { parse } from "yaml";
import { z } from "zod";
import { readConditionRouter, readRouteUrl, scriptProblem } from "./condition-router.ts";
import { readConfigurators, readOverrideUrl } from "./configurator.ts";
import type { ReadRules } from "./rule.ts";
import type { RuleDocument } from "./rule-document.ts";
import { readTagRouter } from "./tag-router.ts";

/** A text that is longer was not written by a person, and takes long to parse. */
const maxTextLength = 64 * 1024;
/** Texts are anybody's who may write to the registry: none may be more than it is long. Whether keys are unique takes time by its square. */
const yamlLimits = { maxAliasCount: 0, uniqueKeys: false } as const;
const nothing: ReadRules = { rules: [], problems: [] };

const readers: ReadonlyMap<string, (value: unknown, name: string, source: string) => ReadRules> = new Map([
  ["configurators", readConfigurators],
  ["condition-router", readConditionRouter],
  ["tag-router", readTagRouter],
]);
/** Items that say how applications find services, which is nothing that the mesh routes by. */
const ofNoConcern: ReadonlySet<string> = new Set(["migration", "properties"]);

/**
 * What a document says, as far as the mesh can follow it; whatever else it says is among the problems.
 *
 * @param source how the document is named for people
 */
export function readRules(document: RuleDocument, source: string): ReadRules {
  if (document.form === "url") {
    const { url, interface: name } = document;
    return /^(override|absent):/.test(url) ? readOverrideUrl(url, name, source) : readRouteUrl(url, name, source);
  }
  const { key, text } = document;
  const [, name = key, kind = ""] = /^(.*)\.([A-Za-z-]+)$/.exec(key) ?? [];
  if (ofNoConcern.has(kind)) return nothing;
  if (kind === "script-router") return { rules: [], problems: [scriptProblem] };
  if (kind === "MESHAPPRULE")
    return { rules: [], problems: ["rules for Dubbo's own mesh are not followed: apply them as VirtualService and DestinationRule"] }; // prettier-ignore
  const reader = readers.get(kind);
  // The same folder holds the settings of applications.
  if (reader === undefined) return nothing;
  if (text.length > maxTextLength) return { rules: [], problems: [`it is longer than ${maxTextLength} characters`] };
  try {
    const overrides = kind === "configurators" ? urlsOf(text) : undefined;
    if (overrides !== undefined) return joined(overrides.map((url, index) => readOverrideUrl(url, name, `${source}#${index}`))); // prettier-ignore
    return reader(parse(text, yamlLimits), name, source);
  } catch (error) {
    return { rules: [], problems: [`it cannot be read: ${messageOf(error)}`] };
  }
}

/** Dubbo 2.7 also takes a JSON array of URLs. */
function urlsOf(text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  const parsed = z.array(z.string()).safeParse(parse(text, yamlLimits));
  return parsed.success ? parsed.data : undefined;
}

function joined(all: readonly ReadRules[]): ReadRules {
  return { rules: all.flatMap(({ rules }) => rules), problems: all.flatMap(({ problems }) => problems) };
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it has another form"}`;
  }
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}
